import Testing

@testable import stepgate

/// A terminal and a clock to look at afterwards.
private final class Terminal {
  var writes: [String] = []
  var nowMs: Int64 = 1_000

  func progress(columns: Int?) -> TerminalProgress {
    TerminalProgress(columns: columns, nowMs: { self.nowMs }, write: { self.writes.append($0) })
  }
}

private let clearLine = "\r\u{1B}[K"

@Suite struct TerminalProgressTests {
  @Test func `Each line takes the place of the one before, and none is left`() {
    let terminal = Terminal()
    var progress = terminal.progress(columns: 80)

    progress.update("1 %")
    terminal.nowMs += 100
    progress.update("2 %")
    progress.finish()

    #expect(terminal.writes == [clearLine + "1 %", clearLine + "2 %", clearLine])
  }

  @Test func `There are at most ten updates a second`() {
    let terminal = Terminal()
    var progress = terminal.progress(columns: 80)
    var evaluations = 0
    func line() -> String {
      evaluations += 1
      return "line"
    }

    for _ in 0..<1_000 {
      progress.update(line())
      terminal.nowMs += 1
    }

    #expect(terminal.writes.count == 10)
    #expect(evaluations == 10)
  }

  @Test func `Without a terminal nothing is written`() {
    let terminal = Terminal()
    var progress = terminal.progress(columns: nil)

    progress.update("1 %")
    progress.finish()

    #expect(terminal.writes.isEmpty)
  }

  @Test func `A line is cut before the terminal would wrap it`() {
    let terminal = Terminal()
    var progress = terminal.progress(columns: 10)

    progress.update("0123456789")
    terminal.nowMs += 100
    progress.update("012345678")

    #expect(terminal.writes == [clearLine + "012345678", clearLine + "012345678"])
  }

  @Test func `Finishing without an update, or twice, clears nothing`() {
    let terminal = Terminal()
    var progress = terminal.progress(columns: 80)

    progress.finish()
    progress.update("1 %")
    progress.finish()
    progress.finish()

    #expect(terminal.writes == [clearLine + "1 %", clearLine])
  }
}
