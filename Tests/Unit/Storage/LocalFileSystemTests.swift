import Glibc
import Storage
import Testing

@Suite struct LocalFileSystemTests {
  private let folder: ScratchFolder
  private let fileSystem = LocalFileSystem()

  init() throws { folder = try ScratchFolder() }

  @Test func `Folders are created with those above them, and may exist already`() throws {
    try fileSystem.createDirectories(folder("a/b/c"))
    try fileSystem.createDirectories(folder("a/b/c"))
    #expect(try fileSystem.list(folder("a/b")) == ["c"])
  }

  @Test func `A private folder is its owner's alone, and those above it are not`() throws {
    try fileSystem.createPrivateDirectory(folder("a/b"))
    #expect(try mode(of: folder("a/b")) == 0o700)
    try fileSystem.createDirectories(folder("ordinary"))
    #expect(try mode(of: folder("a")) == mode(of: folder("ordinary")))
  }

  @Test func `Files and folders are for owner and group, whatever the umask`() throws {
    let before = umask(0)
    defer { umask(before) }
    try fileSystem.createDirectories(folder("a/b"))
    _ = try fileSystem.openForAppending(folder("a/b/file"))
    _ = try fileSystem.lock(folder("a/b/lock"))
    #expect(try mode(of: folder("a")) == 0o750)
    #expect(try mode(of: folder("a/b")) == 0o750)
    #expect(try mode(of: folder("a/b/file")) == 0o640)
    #expect(try mode(of: folder("a/b/lock")) == 0o640)
  }

  @Test func `What is there keeps its mode`() throws {
    try fileSystem.overwrite(folder("file"), "")
    #expect(chmod(folder("file"), 0o664) == 0)
    _ = try fileSystem.openForAppending(folder("file"))
    #expect(try mode(of: folder("file")) == 0o664)
  }

  @Test func `A private folder that was opened to others stays open`() throws {
    try fileSystem.createPrivateDirectory(folder("a"))
    #expect(chmod(folder("a"), 0o750) == 0)
    try fileSystem.createPrivateDirectory(folder("a"))
    #expect(try mode(of: folder("a")) == 0o750)
  }

  @Test func `A folder made with patience is private, too`() throws {
    let patient = PatientFileSystem(fileSystem) { _ in false }
    try patient.createPrivateDirectory(folder("a"))
    #expect(try mode(of: folder("a")) == 0o700)
  }

  private func mode(of path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o7777
  }

  @Test func `A file in the place of a folder is an error`() throws {
    try fileSystem.overwrite(folder("a"), "x")
    #expect(throws: StorageError.self) { try fileSystem.createDirectories(folder("a/b")) }
    #expect(throws: StorageError(operation: .createDirectory, path: folder("a"), code: EEXIST)) {
      try fileSystem.createDirectories(folder("a"))
    }
  }

  @Test func `Names are listed in order, hidden ones too, without dot and dot-dot`() throws {
    for name in ["b", "a", ".c", "10", "9"] { try fileSystem.overwrite(folder(name), "") }
    #expect(try fileSystem.list(folder.path) == [".c", "10", "9", "a", "b"])
  }

  @Test func `Bytes are appended, read at a position, and cut`() throws {
    let file = try fileSystem.openForAppending(folder("f"))
    try file.append(Array("hello ".utf8))
    try file.append(Array("world".utf8))
    try file.truncate(to: 8)
    try file.append(Array("w!".utf8))
    try file.syncData()
    try file.sync()
    #expect(try fileSystem.text(folder("f")) == "hello wow!")
    #expect(try file.size() == 10)

    var bytes = [UInt8](repeating: 0, count: 6)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 6) }
    #expect(count == 4)
    #expect(bytes == Array("wow!\0\0".utf8))
  }

  @Test func `A file opened again is appended to`() throws {
    try fileSystem.openForAppending(folder("f")).append(Array("one".utf8))
    try fileSystem.openForAppending(folder("f")).append(Array("two".utf8))
    #expect(try fileSystem.text(folder("f")) == "onetwo")
  }

  @Test func `A file is replaced whole, and leaves no temporary file`() throws {
    try fileSystem.overwrite(folder("f"), "old and longer")
    try fileSystem.overwrite(folder(".f.tmp"), "left behind by a crash, longer still")
    try Array("new".utf8).withUnsafeBytes { try fileSystem.writeFileAtomically(folder("f"), $0) }
    #expect(try fileSystem.contents(folder.path) == ["f": Array("new".utf8)])
  }

  @Test func `A link is made, and replaced, also after a crash in between`() throws {
    try fileSystem.replaceLink(folder("link"), target: "a")
    #expect(try fileSystem.linkTarget(folder("link")) == "a")
    try fileSystem.createLink(folder(".link.tmp"), target: "left behind")
    try fileSystem.replaceLink(folder("link"), target: "b")
    #expect(try fileSystem.linkTarget(folder("link")) == "b")
    #expect(try fileSystem.list(folder.path) == ["link"])
  }

  @Test func `Renaming replaces, removing removes`() throws {
    try fileSystem.overwrite(folder("a"), "a")
    try fileSystem.overwrite(folder("b"), "b")
    try fileSystem.rename(folder("a"), to: folder("b"))
    #expect(try fileSystem.contents(folder.path) == ["b": Array("a".utf8)])
    try fileSystem.remove(folder("b"))
    #expect(try fileSystem.list(folder.path) == [])
  }

  @Test func `The free space is that of the volume`() throws {
    #expect(try fileSystem.freeBytes(folder.path) > 0)
  }
}
