// Files of newline-delimited JSON as messages, one line each, read as they are published.
//
// Invariants: a line travels byte for byte, without its line end; empty lines do not travel. Memory does not
// grow with the files.

import Glibc

/// A file or a folder that cannot be read.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file or folder.
  public var path: String
  /// What the operating system said.
  public var errno: Int32

  /// One sentence for the operator.
  public var description: String { "cannot read \(path): \(String(cString: strerror(errno)))" }
}

/// Customers, accelerometer and step trainer records from files, as messages to `stedi/<kind>/import`:
/// all customers first, then the readings in the order asked for.
public struct FileMessages: Sequence, Sendable {
  /// Which side's readings go first.
  public enum Order: String, Sendable, CaseIterable {
    case accelerometerFirst = "accelerometer-first"
    case stepTrainerFirst = "step-trainer-first"
    /// A line of either side by chance, with the odds of what is left, each side in its own order.
    case interleaved
  }

  private let customer: [String]
  private let accelerometer: [String]
  private let stepTrainer: [String]
  private let order: Order
  private let seed: UInt64

  /// Each path is a file, or a folder whose *.json, *.ndjson and *.jsonl are taken in name order; nil is
  /// nothing. All of them are looked for at once, so that a wrong path shows before anything is published.
  public init(
    customer: String?, accelerometer: String?, stepTrainer: String?, order: Order = .interleaved,
    seed: UInt64 = 0
  ) throws(FileError) {
    self.customer = try Self.files(at: customer)
    self.accelerometer = try Self.files(at: accelerometer)
    self.stepTrainer = try Self.files(at: stepTrainer)
    self.order = order
    self.seed = seed
  }

  /// The messages from the first on.
  public func makeIterator() -> Iterator {
    let customers = Lines(customer, .customer)
    let accelerometers = Lines(accelerometer, .accelerometer)
    let stepTrainers = Lines(stepTrainer, .stepTrainer)
    return switch order {
    case .accelerometerFirst: Iterator([[customers], [accelerometers], [stepTrainers]], seed)
    case .stepTrainerFirst: Iterator([[customers], [stepTrainers], [accelerometers]], seed)
    case .interleaved: Iterator([[customers], [accelerometers, stepTrainers]], seed)
    }
  }

  /// Plays its stages one after the other, and the sources of a stage in turns.
  ///
  /// A file that cannot be read ends the iteration; look at `error` when it has ended.
  public struct Iterator: IteratorProtocol {
    private var stages: [[Lines]]
    private var random: SeededRandom
    /// Why the iteration ended early, nil if it did not.
    public private(set) var error: FileError?

    init(_ stages: [[Lines]], _ seed: UInt64) {
      self.stages = stages.reversed()
      random = SeededRandom(seed: seed)
    }

    /// The next line as a message, nil after the last or after an error.
    public mutating func next() -> OutgoingMessage? {
      while error == nil, let stage = stages.popLast() {
        guard let lines = choose(from: stage) else { continue }
        do throws(FileError) {
          let payload = try lines.next()
          stages.append(stage)
          if let payload { return OutgoingMessage(topic: lines.topic, payload: payload) }
        } catch {
          self.error = error
        }
      }
      return nil
    }

    private mutating func choose(from stage: [Lines]) -> Lines? {
      let total = stage.reduce(0) { $0 + $1.remainingBytes }
      guard total > 0 else { return nil }
      var choice = random.below(total)
      for lines in stage {
        if choice < lines.remainingBytes { return lines }
        choice -= lines.remainingBytes
      }
      return nil
    }
  }

  private static func files(at path: String?) throws(FileError) -> [String] {
    guard let path else { return [] }
    guard let folder = opendir(path) else {
      guard errno == ENOTDIR else { throw FileError(path: path, errno: errno) }
      guard access(path, R_OK) == 0 else { throw FileError(path: path, errno: errno) }
      return [path]
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if [".json", ".ndjson", ".jsonl"].contains(where: name.hasSuffix), !name.hasPrefix(".") {
        names.append(name)
      }
    }
    // Byte order, as `ls` in the C locale has it.
    names.sort { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    return names.map { path + "/" + $0 }
  }
}

/// The lines of several files, one after the other.
final class Lines {
  let topic: String
  /// What is left, roughly: what a file gains meanwhile is read too, and does not count. 0 at the end only.
  private(set) var remainingBytes: Int
  private var paths: [String]
  private var stream: UnsafeMutablePointer<FILE>?
  private var buffer: UnsafeMutablePointer<CChar>?
  private var capacity = 0

  init(_ paths: [String], _ kind: RecordKind) {
    topic = "stedi/\(kind.rawValue)/import"
    self.paths = paths.reversed()
    remainingBytes =
      1
      + paths.reduce(0) { total, path in
        var status = stat()
        return stat(path, &status) == 0 ? total + Int(status.st_size) : total
      }
  }

  deinit {
    if let stream { fclose(stream) }
    free(buffer)
  }

  /// The next line that is not empty, nil at the end.
  func next() throws(FileError) -> [UInt8]? {
    while let path = paths.last {
      if stream == nil {
        stream = fopen(path, "re")
        guard stream != nil else { throw FileError(path: path, errno: errno) }
      }
      errno = 0
      let read = getline(&buffer, &capacity, stream)
      guard read >= 0 else {
        guard errno == 0 else { throw FileError(path: path, errno: errno) }
        fclose(stream)
        stream = nil
        paths.removeLast()
        continue
      }
      remainingBytes = max(1, remainingBytes - read)
      let line = trimmed(UnsafeRawBufferPointer(start: buffer, count: read))
      if !line.isEmpty { return Array(line) }
    }
    remainingBytes = 0
    return nil
  }

  private func trimmed(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var count = line.count
    while count > 0, line[count - 1] == UInt8(ascii: "\n") || line[count - 1] == UInt8(ascii: "\r") {
      count -= 1
    }
    return UnsafeRawBufferPointer(rebasing: line[..<count])
  }
}
