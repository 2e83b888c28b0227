// Data goes here: unbuffered, and no failure is overlooked.
//
// Invariant: SIGPIPE is ignored (`Stepgate.main`), so that a reader who has gone away is an answer of
// `write` and not the end of the process.

import ArgumentParser
import Glibc

/// Writes all bytes to stdout; a failure is told and ends the command.
///
/// - Returns: false where nobody reads on (`stepgate tail … | head`), which is no failure.
@discardableResult
func writeToStandardOutput(_ bytes: UnsafeRawBufferPointer) throws(ExitCode) -> Bool {
  var written = 0
  while written < bytes.count {
    let count = write(STDOUT_FILENO, bytes.baseAddress! + written, bytes.count - written)
    if count >= 0 {
      written += count
      continue
    }
    switch errno {
    case EINTR: continue
    // Whoever shares the pipe or terminal may have made it non-blocking.
    case EAGAIN: waitForStandardOutput()
    case EPIPE: return false
    default:
      printMessage("cannot write to stdout: \(String(cString: strerror(errno)))")
      throw ExitStatus.inputOutputFailed
    }
  }
  return true
}

/// Text for stdout, with its line ends.
///
/// - Returns: as `writeToStandardOutput`.
@discardableResult
func printData(_ text: String) throws(ExitCode) -> Bool {
  let bytes = Array(text.utf8)
  return try bytes.span.bytes.withUnsafeBytes { bytes throws(ExitCode) in try writeToStandardOutput(bytes) }
}

private func waitForStandardOutput() {
  var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
  poll(&output, 1, -1)
}
