// Checks a journal, every entry of it, without changing anything and without stopping at damage. The
// journal may be written and trimmed meanwhile: it is looked at as it was when the newest segment was
// opened, a write under way looks like a torn end, and segments that go while the older ones are being read
// were not needed any more: if that is the newest, those that came since are read.

import Storage

/// Checks every entry's checksum, every segment's header, and that no position is missing between the
/// oldest segment and the newest. Damage, also a file that cannot be read, is in the report; only a folder
/// that cannot be listed is an error.
///
/// - Parameter progress: gets the bytes of the journal checked so far, batch by batch.
public func verifyJournal(
  fileSystem: any FileSystem, directory: String, progress: @escaping (Int) -> Void = { _ in }
) throws(StorageError) -> JournalReport {
  var verifier = JournalVerifier(fileSystem: fileSystem, directory: directory, progress: progress)
  var seen = -1
  repeat {
    let bases = try fileSystem.list(directory).compactMap(JournalFormat.basePosition(ofSegment:)).sorted()
    for base in bases where base > seen {
      verifier.verifySegment(base, isNewest: base == bases.last)
      seen = base
    }
  } while verifier.newestWasTrimmed
  return verifier.report
}

private struct JournalVerifier {
  private static let batchBytes = 1 << 20

  let fileSystem: any FileSystem
  let directory: String
  let progress: (Int) -> Void
  var report = JournalReport()
  /// Where the segment before ends; nil where there is none, or none that could be read.
  private var expectedPosition: Int?
  /// Whether the newest of the segments that were listed went before it was read: then there are others.
  private(set) var newestWasTrimmed = false
  private let buffer = EntryBuffer(capacityBytes: batchBytes)

  init(fileSystem: any FileSystem, directory: String, progress: @escaping (Int) -> Void) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.progress = progress
  }

  mutating func verifySegment(_ base: Int, isNewest: Bool) {
    let path = "\(directory)/\(JournalFormat.segmentName(base))"
    newestWasTrimmed = false
    do {
      let file = try storage { () throws(StorageError) in try fileSystem.openForReading(path) }
      verifyContinuity(base, path)
      let scanner = try openScanner(file, base, isNewest: isNewest)
      try verifyEntries(scanner)
      if let torn = scanner.tornTail {
        report.note(path, torn.byte, "the torn end of a write, or one under way: \(torn.bytes) bytes")
      }
      if report.segments == 0 { report.startPosition = base }
      report.segments += 1
      report.bytes += scanner.size
      report.endPosition = scanner.position
      expectedPosition = scanner.position
    } catch {
      expectedPosition = nil
      if case .storage(let error) = error, error.isNotFound, wasTrimmed(base) {
        newestWasTrimmed = isNewest
      } else {
        addProblem(error, path)
      }
    }
  }

  private mutating func verifyContinuity(_ base: Int, _ path: String) {
    guard let expectedPosition else { return }
    if base > expectedPosition {
      report.problem(path, 0, "positions \(expectedPosition) to \(base - 1) are missing before it")
    }
    if base < expectedPosition {
      report.problem(
        path, 0, "begins with position \(base), but the segment before ends with \(expectedPosition)")
    }
  }

  /// A damaged header is a problem, and no reason not to look at the entries: their places tell that they
  /// belong to the file's name.
  private mutating func openScanner(
    _ file: any File, _ base: Int, isNewest: Bool
  ) throws(JournalError) -> SegmentScanner {
    do throws(JournalError) {
      return try SegmentScanner(file, basePosition: base, isNewest: isNewest)
    } catch .damaged(let path, let byte, let what) {
      report.problem(path, byte, what)
      return try SegmentScanner(uncheckedHeaderOf: file, basePosition: base, isNewest: isNewest)
    }
  }

  private mutating func verifyEntries(_ scanner: SegmentScanner) throws(JournalError) {
    while true {
      do throws(JournalError) {
        while try scanner.read(into: buffer, wantedBytes: Self.batchBytes) {
          report.entries += buffer.entryCount
          progress(report.bytes + scanner.position - scanner.basePosition)
        }
        return
      } catch .damaged(let path, let byte, _) {
        report.problem(path, byte, "no good entry in \(try scanner.skipToGoodEntry()) bytes")
      } catch .unknownKind(let path, let byte, let kind) {
        scanner.skipUnknownEntry()
        report.problem(path, byte, "an entry of the unknown kind \(kind); a later stepgate wrote it")
      }
    }
  }

  /// An error that ended the check of a segment.
  private mutating func addProblem(_ error: JournalError, _ path: String) {
    switch error {
    case .storage(let error):
      report.problem(path, error.offset ?? 0, error.description)
    case .unsupportedVersion(_, let version):
      let known = JournalFormat.version
      report.problem(path, 0, "format version \(version); this stepgate reads version \(known)")
    case .damaged, .missing, .unknownKind:
      report.problem(path, 0, error.description)
    }
  }

  /// Whether a segment that was listed, and is gone, went as the oldest.
  private func wasTrimmed(_ base: Int) -> Bool {
    guard let bases = try? JournalFormat.segments(fileSystem, directory), let first = bases.first else {
      return false
    }
    return base < first
  }
}
