import Glibc
import Storage
import Testing

@Suite struct StorageErrorTests {
  private let fileSystem = LocalFileSystem()

  @Test func `A missing file is told as one sentence`() throws {
    let error = #expect(throws: StorageError.self) { try fileSystem.openForReading("/nowhere/file") }
    #expect(error?.description == "cannot open /nowhere/file: No such file or directory")
    #expect(error?.isNotFound == true)
  }

  @Test func `A full disk is told with the byte`() throws {
    let full = try fileSystem.openForAppending("/dev/full")
    let error = #expect(throws: StorageError.self) { try full.append([1, 2, 3]) }
    #expect(error?.description == "cannot write /dev/full at byte 0: No space left on device")
    #expect(error?.isOutOfSpace == true)
  }

  @Test func `The byte is where the writing stopped`() throws {
    let error = StorageError(operation: .write, path: "/x/y", offset: 123, code: ENOSPC)
    #expect(error.description == "cannot write /x/y at byte 123: No space left on device")
  }

  @Test func `Every operation is a verb that fits the sentence`() throws {
    #expect(throws: StorageError(operation: .list, path: "/nowhere", code: ENOENT)) {
      try fileSystem.list("/nowhere")
    }
    let error = StorageError(operation: .syncDirectory, path: "/x", code: EIO)
    #expect(error.description == "cannot sync folder /x: Input/output error")
  }
}
