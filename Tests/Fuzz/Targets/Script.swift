// A script: what happens to a gateway, step by step, as journal entries. Steps are made from the fuzzer's
// bytes, so that each of them can be anything.

import Join
import Journal
import Pipeline
import Playback
import Records

/// The settings that decide about results, from the fuzzer's choices. Bounds are small, so that they are met.
struct ScriptSettings {
  /// How many choices there are.
  static let choiceCount = 8
  private let choices: [UInt8]

  init(_ choices: inout Choices) {
    self.choices = (0..<Self.choiceCount).map { _ in choices.byte() }
  }

  /// As the payload of a settings entry.
  init(payload: some Sequence<UInt8>) {
    var choices = Choices(payload)
    self.init(&choices)
  }

  var player: PlayerSettings {
    var choices = Choices(choices)
    var engine = EngineSettings()
    engine.live = true
    engine.consent = choices.one(of: ConsentMode.allCases)
    engine.join.pairing = choices.one(of: Pairing.allCases)
    engine.landing = choices.flag()
    engine.futureSkewMs = choices.one(of: [300_000, nil, 0])
    engine.join.maxMemoryBytes = choices.one(of: [512 << 20, 1024, 4096])
    engine.join.toleranceMs = choices.one(of: [100, 0, 10_000])
    (engine.join.allowedLatenessMs, engine.join.retentionMs, engine.join.idleMs) = choices.one(of: [
      (600_000, 900_000, 900_000), (1_000, 2_000, 1_000), (0, 1, 1),
    ])
    engine.segmentBytes = 4096
    return PlayerSettings(
      engine: engine, router: choices.flag() ? ScriptTopics.plain : ScriptTopics.identities)
  }
}

/// The topics of scripts. The level behind the first names an identity, where filters have a placeholder.
enum ScriptTopics {
  static let identities = router("customer/{email}", "accelerometer/{user}", "step_trainer/{serialNumber}")
  static let plain = router("customer/+", "accelerometer/+", "step_trainer/#")

  private static func router(_ customer: String, _ accelerometer: String, _ stepTrainer: String)
    -> TopicRouter
  {
    do throws(TopicFilterError) {
      return TopicRouter(
        customer: try TopicFilter(customer, kind: .customer),
        accelerometer: try TopicFilter(accelerometer, kind: .accelerometer),
        stepTrainer: try TopicFilter(stepTrainer, kind: .stepTrainer))
    } catch { preconditionFailure("\(error)") }
  }
}

/// One step: three bytes of choices, then a payload.
struct ScriptStep {
  enum Event: UInt8, CaseIterable {
    case customer, accelerometer, stepTrainer, strangeTopic, customerLines, customerFile, settings, session
  }

  let event: Event
  /// Names the identity that most readings of the seeds have, or another one.
  let identity: String
  /// The payload was longer than it may be.
  let isCut: Bool
  /// How much later than the step before it came.
  let laterMs: Int64
  let payload: [UInt8]

  init(_ piece: [UInt8]) {
    var choices = Choices(piece.prefix(3))
    event = choices.one(of: Event.allCases)
    let (cut, other) = choices.one(of: [(false, false), (false, true), (true, false)])
    isCut = cut
    identity = other ? "o" : event == .stepTrainer ? "s" : "u"
    laterMs = choices.one(of: [0, 1, 100, 5_000, 900_000, 86_400_000, -60_000])
    let rest = Array(piece.dropFirst(3))
    // Settings are never empty, so that a checkpoint can tell them from none.
    payload = event == .settings && rest.isEmpty ? [0] : rest
  }

  /// The bytes that are read as this step.
  static func bytes(_ event: Event, _ payload: String, later: UInt8 = 0) -> [UInt8] {
    [event.rawValue, 0, later] + Array(payload.utf8)
  }

  /// What the payload's records are about; nil where there are none.
  var kind: RecordKind? {
    switch event {
    case .customer, .customerLines, .customerFile: .customer
    case .accelerometer: .accelerometer
    case .stepTrainer: .stepTrainer
    case .strangeTopic, .settings, .session: nil
    }
  }

  private var entryKind: JournalEntryKind {
    switch event {
    case .customer, .accelerometer, .stepTrainer, .strangeTopic: .message
    case .customerLines, .customerFile: .customerFile
    case .settings: .settings
    case .session: .sessionGap
    }
  }

  private var topic: String {
    switch event {
    case .customer: "customer/\(identity)"
    case .accelerometer: "accelerometer/\(identity)"
    case .stepTrainer: "step_trainer/\(identity)"
    case .strangeTopic: "strange"
    case .customerLines, .customerFile: "customers.json"
    case .settings, .session: ""
    }
  }

  func append(to entries: EntryBuffer, arrivalMs: Int64, number: Int) {
    var topic = topic
    topic.withUTF8 { topic in
      payload.withUnsafeBytes { payload in
        entries.append(
          kind: entryKind, arrivalMs: arrivalMs, packetID: UInt16(truncatingIfNeeded: number),
          flags: event == .customerFile ? 1 : 0, topic: UnsafeRawBufferPointer(topic), payload: payload,
          originalPayloadBytes: isCut ? payload.count + 1 : nil)
      }
    }
  }
}
