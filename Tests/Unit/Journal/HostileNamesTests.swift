// Journal files whose names have numbers that no writer wrote. Nobody traps, which here would end the tests.

import Foundation
import Journal
import Storage
import TestSupport
import Testing

@Suite struct HostileNamesTests {
  private static let bounds = [
    8, 7, numberLimit - 1, numberLimit, numberLimit + 1, 1 << 62, 9_223_372_036_854_775_800, Int.max,
  ]

  /// Everything that is ever done with a journal. Errors are fine.
  private func use(_ journal: JournalFixture) throws -> JournalReport {
    let (fileSystem, directory) = (journal.fileSystem, journal.directory)
    let report = try verifyJournal(fileSystem: fileSystem, directory: directory)
    for position in try [0] + journalSegmentPositions(fileSystem: fileSystem, directory: directory) + [.max] {
      _ = try? journal.entries(from: position)
    }
    if let writer = try? journal.writer() {
      try? writer.append(EntryBuffer([.numbered(1)]))
      try? writer.roll()
      try? writer.append(EntryBuffer([.numbered(2)]))
      try? writer.sync()
    }
    _ = try? trimJournal(fileSystem: fileSystem, directory: directory, before: .max)
    return report
  }

  /// A journal of two entries.
  private func journal() throws -> JournalFixture {
    let journal = try JournalFixture()
    let writer = try journal.writer()
    try writer.append(EntryBuffer([.numbered(0), .numbered(1)]))
    try writer.sync()
    return journal
  }

  @Test(arguments: bounds)
  func `A file with any number for its name harms nobody`(number: Int) throws {
    let good = try journal()
    let bytes = try good.fileSystem.readFile(good.segment(0))
    for content in [[], Array(bytes.prefix(20)), bytes, bytes + [1, 2, 3]] {
      let journal = try journal()
      try journal.fileSystem.overwrite(journal.segment(number), content)
      let problems = try use(journal).problems
      #expect(problems.allSatisfy { $0.path == journal.segment(number) })
      #expect(problems.isEmpty == (number > numberLimit))

      let alone = try JournalFixture()
      try alone.fileSystem.createDirectories(alone.directory)
      try alone.fileSystem.overwrite(alone.segment(number), content)
      _ = try use(alone)
    }
  }

  @Test func `Files with random numbers harm nobody`() throws {
    var random = SeededRandom(seed: 12)
    for _ in 0..<200 {
      let journal = try journal()
      let bytes = try journal.fileSystem.readFile(journal.segment(0))
      for _ in 0..<3 {
        let number = Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0..<62, using: &random)
        try journal.fileSystem.overwrite(journal.segment(number), bytes)
      }
      _ = try use(journal)
    }
  }

  @Test func `A file that is a hole of nearly all bytes there can be is told with its path`() throws {
    let journal = try journal()
    // Not every file system has files of that length.
    guard truncate(journal.segment(0), 1 << 60) == 0 else { return }
    #expect(try use(journal).problems.map(\.path) == [journal.segment(0)])
  }
}
