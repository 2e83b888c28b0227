// What a check of a journal finds, and that it goes on behind what it found.

import Foundation
import Journal
import Storage
import Synchronization
import Testing

@Suite struct JournalVerifierTests {
  private let journal: JournalFixture
  /// Where each of nine entries begins, and the journal's end.
  private let positions: [Int]
  /// Where the three segments begin, three entries each.
  private let bases: [Int]

  init() throws {
    journal = try JournalFixture()
    let writer = try journal.writer(segmentBytes: 8)
    var positions = [0]
    for number in stride(from: 0, to: 9, by: 3) {
      let buffer = EntryBuffer((number..<number + 3).map(Entry.numbered))
      try writer.append(buffer)
      try writer.sync()
      positions += buffer.compactMap(\.position).dropFirst() + [writer.endPosition]
    }
    self.positions = positions
    bases = stride(from: 0, to: 9, by: 3).map { positions[$0] }
  }

  private func verify() throws -> JournalReport {
    try verifyJournal(fileSystem: journal.fileSystem, directory: journal.directory)
  }

  private func problems() throws -> [String] { try verify().problems.map(\.description) }

  private func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
    var bytes = try journal.fileSystem.readFile(path)
    body(&bytes)
    try journal.fileSystem.overwrite(path, bytes)
  }

  /// The byte in its file of the entry with this number.
  private func fileByte(_ number: Int) -> Int { 32 + positions[number] - bases[number / 3] }

  private func entryBytes(_ number: Int) -> Int { positions[number + 1] - positions[number] }

  @Test func `A good journal has nothing to tell`() throws {
    let progress = Mutex<[Int]>([])
    let report = try verifyJournal(fileSystem: journal.fileSystem, directory: journal.directory) { bytes in
      progress.withLock { $0.append(bytes) }
    }
    #expect(report.segments == 3)
    #expect(report.entries == 9)
    #expect(report.bytes == 3 * 32 + positions[9])
    #expect(report.startPosition == 0)
    #expect(report.endPosition == positions[9])
    #expect(report.problems == [])
    #expect(report.notes == [])
    #expect(progress.withLock { $0 } == [positions[3], positions[6] + 32, positions[9] + 64])
  }

  @Test func `A flipped bit in any byte before the last batch is found, with its entry, and nothing else is`()
    throws
  {
    for base in bases.dropLast() {
      let path = journal.segment(base)
      let bytes = try journal.fileSystem.readFile(path)
      for place in bytes.indices {
        try change(path) { $0[place] ^= 1 << (place % 8) }
        let report = try verify()
        if place < 32 {
          #expect(report.problems.map(\.description) == ["\(path), byte 0: not the header of a journal file"])
          #expect(report.entries == 9, "the entries are good all the same")
        } else {
          let number = try #require((0..<9).last { bases[$0 / 3] == base && fileByte($0) <= place })
          #expect(
            report.problems.map(\.description) == [
              "\(path), byte \(fileByte(number)): no good entry in \(entryBytes(number)) bytes"
            ])
          #expect(report.entries == 8)
        }
        #expect(report.segments == 3)
        #expect(report.endPosition == positions[9])
        try journal.fileSystem.overwrite(path, bytes)
      }
    }
    #expect(try problems() == [])
  }

  @Test func `All damage is told, not only the first`() throws {
    try change(journal.segment(bases[0])) {
      $0[fileByte(0)] ^= 1
      $0[fileByte(2) + 20] ^= 1
    }
    try change(journal.segment(bases[1])) { bytes in
      bytes[3] ^= 1
      for number in 3...4 { bytes[fileByte(number) + 38] ^= 1 }
    }
    #expect(
      try problems() == [
        "\(journal.segment(bases[0])), byte 32: no good entry in \(entryBytes(0)) bytes",
        "\(journal.segment(bases[0])), byte \(fileByte(2)): no good entry in \(entryBytes(2)) bytes",
        "\(journal.segment(bases[1])), byte 0: not the header of a journal file",
        "\(journal.segment(bases[1])), byte 32: no good entry in \(entryBytes(3) + entryBytes(4)) bytes",
      ])
    #expect(try verify().entries == 5)
  }

  @Test func `A torn end of the newest segment is a note, at any byte`() throws {
    let path = journal.segment(bases[2])
    let bytes = try journal.fileSystem.readFile(path)
    for length in 0..<bytes.count {
      try journal.fileSystem.overwrite(path, Array(bytes[..<length]))
      let report = try verify()
      #expect(report.problems == [])
      let whole = (6..<9).prefix { 32 + positions[$0 + 1] - bases[2] <= length }.count
      let wholeBytes = length < 32 ? 0 : 32 + positions[6 + whole] - bases[2]
      let note = "the torn end of a write, or one under way: \(length - wholeBytes) bytes"
      #expect(
        report.notes.map(\.description)
          == (length > wholeBytes ? ["\(path), byte \(wholeBytes): \(note)"] : []))
      #expect(report.entries == 6 + whole)
      #expect(report.endPosition == positions[6 + whole])
    }
  }

  @Test func `In the newest segment, too, an entry that was durable is damaged, not torn`() throws {
    let writer = try journal.writer()
    try writer.append(EntryBuffer([.numbered(9)]))
    try writer.sync()
    try change(journal.segment(bases[2])) { $0[fileByte(7) + 9] ^= 1 }
    let report = try verify()
    #expect(
      report.problems.map(\.description) == [
        "\(journal.segment(bases[2])), byte \(fileByte(7)): no good entry in \(entryBytes(7)) bytes"
      ])
    #expect(report.notes == [])
    #expect(report.entries == 9)
    #expect(report.endPosition == writer.endPosition)
  }

  @Test func `An older segment cut at any byte is damage or a gap`() throws {
    let path = journal.segment(bases[1])
    let bytes = try journal.fileSystem.readFile(path)
    for length in 0..<bytes.count {
      try journal.fileSystem.overwrite(path, Array(bytes[..<length]))
      let end = max(bases[1], bases[1] + length - 32)
      let gap =
        "\(journal.segment(bases[2])), byte 0: positions \(end) to \(bases[2] - 1) are missing before it"
      let found = try problems()
      #expect(found.last == gap)
      let isWhole = length == 32 || (3..<6).contains { fileByte($0) == length }
      #expect(found.count == (isWhole ? 1 : 2))
    }
  }

  @Test func `A missing segment is found in the middle; without its oldest ones a journal is only trimmed`()
    throws
  {
    try journal.fileSystem.remove(journal.segment(bases[1]))
    let gap = "positions \(bases[1]) to \(bases[2] - 1) are missing before it"
    #expect(try problems() == ["\(journal.segment(bases[2])), byte 0: \(gap)"])
    try journal.fileSystem.remove(journal.segment(bases[0]))
    let report = try verify()
    #expect(report.problems == [])
    #expect(report.startPosition == bases[2])
    #expect(report.entries == 3)
  }

  @Test func `Bytes that the next segment has, too, are found`() throws {
    try change(journal.segment(bases[0])) { $0 += [UInt8](repeating: 0, count: 16) }
    #expect(
      try problems() == [
        "\(journal.segment(bases[0])), byte \(32 + bases[1]): no good entry in 16 bytes",
        "\(journal.segment(bases[1])), byte 0: begins with position \(bases[1]), "
          + "but the segment before ends with \(bases[1] + 16)",
      ])
  }

  @Test func `A later version and unknown kinds are told, and the rest is checked`() throws {
    try change(journal.segment(bases[0])) { $0.setVersion(2) }
    try change(journal.segment(bases[1])) {
      $0.setKind(9, entry: fileByte(4), count: entryBytes(4), positions[4])
    }
    try change(journal.segment(bases[1])) { $0[fileByte(5)] ^= 1 }
    #expect(
      try problems() == [
        "\(journal.segment(bases[0])), byte 0: format version 2; this stepgate reads version 1",
        "\(journal.segment(bases[1])), byte \(fileByte(4)): an entry of the unknown kind 9; "
          + "a later stepgate wrote it",
        "\(journal.segment(bases[1])), byte \(fileByte(5)): no good entry in \(entryBytes(5)) bytes",
      ])
    #expect(try verify().entries == 4)
  }

  @Test func `A segment that cannot be read is a problem, and the others are checked`() throws {
    try journal.fileSystem.remove(journal.segment(bases[1]))
    try journal.fileSystem.createLink(journal.segment(bases[1]), target: "nowhere")
    try change(journal.segment(bases[0])) { $0[32] ^= 1 }
    let path = journal.segment(bases[1])
    #expect(
      try problems() == [
        "\(journal.segment(bases[0])), byte 32: no good entry in \(entryBytes(0)) bytes",
        "\(path), byte 0: cannot open \(path): No such file or directory",
      ])
    #expect(try verify().entries == 5)
  }

  @Test func `Damage in very many places is told in a short time`() throws {
    let writer = try journal.writer(segmentBytes: 64 << 20)
    let large = EntryBuffer((0..<100_000).map(Entry.numbered))
    try writer.append(large)
    try writer.sync()
    try writer.append(EntryBuffer([.numbered(0)]))
    // Makes the large batch's segment an older one, whose damage needs no proof.
    try journal.writer(segmentBytes: 8).append(EntryBuffer([.numbered(1)]))
    let damaged = large.compactMap(\.position).enumerated().filter { $0.offset % 100 == 50 }.map(\.element)
    try change(journal.segment(bases[2])) { bytes in
      for position in damaged { bytes[32 + position - bases[2]] ^= 1 }
    }
    let start = ContinuousClock.now
    let report = try verify()
    #expect(report.problems.count == 1_000)
    #expect(report.entries == 9 + 100_000 + 2 - 1_000)
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test func `A folder that does not exist is an error of its own`() throws {
    #expect(throws: StorageError.self) {
      try verifyJournal(fileSystem: journal.fileSystem, directory: journal.folder("nowhere"))
    }
  }

  @Test func `A segment that is trimmed while an older one is read is not missed`() throws {
    let report = try verifyJournal(fileSystem: journal.fileSystem, directory: journal.directory) { _ in
      _ = try? trimJournal(
        fileSystem: journal.fileSystem, directory: journal.directory, before: positions[9])
    }
    #expect(try journal.segments() == [journal.segment(bases[2])])
    #expect(report.problems == [])
    #expect(report.segments == 2)
    #expect(report.entries == 6)
    #expect(report.endPosition == positions[9])
  }

  @Test func `Segments that take the place of all that were listed are read too`() throws {
    let writer = try journal.writer(segmentBytes: 400)
    var isFirst = true
    let report = try verifyJournal(fileSystem: journal.fileSystem, directory: journal.directory) { _ in
      guard isFirst else { return }
      isFirst = false
      for number in 0..<20 {
        _ = try? writer.append(EntryBuffer([Entry.numbered(number)]))
        _ = try? writer.sync()
      }
      _ = try? trimJournal(
        fileSystem: journal.fileSystem, directory: journal.directory, before: writer.endPosition)
    }
    #expect(report.problems == [])
    #expect(report.endPosition == writer.endPosition)
  }

  @Test func `A journal that is written and trimmed meanwhile has no problems`() throws {
    let writer = try journal.writer(segmentBytes: 3_000)
    let durable = Mutex(0)
    let isDone = Mutex(false)
    let ended = DispatchSemaphore(value: 0)
    let failure = Mutex<(any Error)?>(nil)
    let rounds = Mutex(0)
    let (fileSystem, directory) = (journal.fileSystem, journal.directory)
    DispatchQueue(label: "verify").async {
      do {
        while !isDone.withLock({ $0 }) {
          let atLeast = durable.withLock { $0 }
          let report = try verifyJournal(fileSystem: fileSystem, directory: directory)
          #expect(report.problems == [])
          #expect(report.endPosition >= atLeast)
          rounds.withLock { $0 += 1 }
        }
      } catch { failure.withLock { $0 = error } }
      ended.signal()
    }
    let deadline = ContinuousClock.now + .seconds(60)
    var number = 0
    while rounds.withLock({ $0 }) < 50, ContinuousClock.now < deadline {
      try writer.append(EntryBuffer((number..<number + 20).map(Entry.numbered)))
      try writer.sync()
      durable.withLock { $0 = writer.durablePosition }
      try trimJournal(
        fileSystem: journal.fileSystem, directory: journal.directory, before: writer.endPosition - 9_000)
      number += 20
    }
    isDone.withLock { $0 = true }
    ended.wait()
    #expect(failure.withLock { $0 } == nil)
    #expect(rounds.withLock { $0 } >= 50)
  }
}

extension [UInt8] {
  /// Makes it the file of another format version, with a good header.
  fileprivate mutating func setVersion(_ version: UInt8) {
    self[8] = version
    put(self[..<24].withUnsafeBytes { checksum($0) }, 8, at: 24)
  }

  /// Makes it an entry of another kind, with good checksums.
  fileprivate mutating func setKind(_ kind: UInt8, entry: Int, count: Int, _ position: Int) {
    let seed = UInt64(position)
    self[entry + 36] = kind
    put(self[entry + 8..<entry + 38].withUnsafeBytes { checksum($0, seed: seed) }, 2, at: entry + 38)
    put(self[entry + 8..<entry + count].withUnsafeBytes { checksum($0, seed: seed) }, 8, at: entry)
  }

  private mutating func put(_ value: UInt64, _ count: Int, at place: Int) {
    for byte in 0..<count { self[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }
}
