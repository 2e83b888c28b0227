// The one door to the kernel. An interrupted call is repeated; a bad descriptor or address is a bug of
// ours and traps; everything else is the world's, and thrown.

import Glibc

/// The result of `call`, a system call that returns -1 and sets `errno` when it fails.
func systemCall<Result: FixedWidthInteger & SignedInteger>(
  _ operation: StorageError.Operation, _ path: String, at offset: Int? = nil, _ call: () -> Result
) throws(StorageError) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let code = errno
    if code == EINTR { continue }
    precondition(code != EBADF && code != EFAULT, "\(operation) \(path): errno \(code) is a bug")
    throw StorageError(operation: operation, path: path, offset: offset, code: code)
  }
}
