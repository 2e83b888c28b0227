// Everything that is not data goes here.

import Glibc

/// A message to a person, with a line end.
func printMessage(_ message: String) {
  writeToStandardError(message + "\n")
}

/// Unbuffered, so that it stands before whatever happens next. A failure is ignored: there is no other
/// place to tell it.
func writeToStandardError(_ text: String) {
  // glibc's `stderr` is a global variable, which Swift 6 does not let through; its descriptor is fixed.
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if count < 0 && errno != EINTR { return }
    bytes = bytes.dropFirst(max(count, 0))
  }
}
