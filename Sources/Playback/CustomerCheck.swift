// Are these customer records? Looks at pieces of customer files without keeping anything of them.

import Pipeline
import Records

/// Counts the records of customer files, and remembers the first that is none.
final class CustomerCheck {
  private let parser = RecordParser()
  private let batch = RecordBatch()
  private(set) var recordCount = 0
  private var badCount = 0
  private var firstBad: (path: String, line: Int, what: String)?
  private var path: UnsafeRawBufferPointer?
  private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 << 10, alignment: 64)
  private var linesBefore = 0

  deinit { memory.deallocate() }

  /// What is wrong with the files so far; nil: nothing.
  var error: StagingError? {
    firstBad.map {
      .notCustomers(count: badCount, of: recordCount, path: $0.path, line: $0.line, what: $0.what)
    }
  }

  /// - Parameter path: the same memory for all pieces of a file, one after the other.
  func look(at piece: FilePiece, path: UnsafeRawBufferPointer) {
    if path.baseAddress != self.path?.baseAddress { linesBefore = 0 }
    self.path = path
    batch.clear()
    let copied = piece.mapText(copy)
    parser.parse(copied, kind: .customer, arrivalMs: 0, topic: path, into: batch)
    let records = batch.records
    recordCount += records.count
    for record in records where record.problem != Problem.none.rawValue {
      badCount += 1
      if firstBad == nil { firstBad = described(record, in: copied.text, path) }
    }
    linesBefore += piece.isTooLong ? 1 : lineFeeds(copied.text)
  }

  /// The text with NULs behind it. Where anything else is behind a text the parser makes a copy of its own, and nobody
  /// could tell where in the text a record was.
  private func copy(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if memory.count < text.count + Int(textSlack) {
      memory.deallocate()
      memory = .allocate(byteCount: text.count + Int(textSlack), alignment: 64)
    }
    memory.copyMemory(from: text)
    let slack = UnsafeMutableRawBufferPointer(rebasing: memory[text.count..<text.count + Int(textSlack)])
    slack.initializeMemory(as: UInt8.self, repeating: 0)
    return UnsafeRawBufferPointer(rebasing: memory[..<text.count])
  }

  private func described(
    _ record: Record, in text: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer
  ) -> (path: String, line: Int, what: String) {
    let problem = Problem(rawValue: record.problem) ?? .notJSON
    let start = text.baseAddress.map { UnsafeRawPointer(record.text) - $0 } ?? 0
    let before = UnsafeRawBufferPointer(rebasing: text.prefix(max(0, start)))
    let what = problem.detail(kind: .customer, field: record.field)
    return (String(decoding: path, as: UTF8.self), linesBefore + lineFeeds(before) + 1, what)
  }

  private func lineFeeds(_ text: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for byte in text where byte == UInt8(ascii: "\n") { count += 1 }
    return count
  }
}

extension FilePiece {
  fileprivate var text: UnsafeRawBufferPointer {
    switch self {
    case .lines(let text), .whole(let text), .tooLong(let text): text
    }
  }

  fileprivate func mapText(_ map: (UnsafeRawBufferPointer) -> UnsafeRawBufferPointer) -> FilePiece {
    switch self {
    case .lines(let text): .lines(map(text))
    case .whole(let text): .whole(map(text))
    case .tooLong(let text): .tooLong(map(text))
    }
  }

  fileprivate var isTooLong: Bool {
    if case .tooLong = self { true } else { false }
  }
}
