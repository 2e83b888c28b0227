import Foundation
import Testing

@testable import Gateway

@Suite struct FilesFingerprintTests {
  private let folder: SettingsFolder

  init() throws { folder = try SettingsFolder() }

  @Test func `Files are the same until one is written, replaced, added, removed or made readable`() throws {
    let file = try folder.file("a.json", "1")
    var last = FilesFingerprint(path: folder.path)
    #expect(FilesFingerprint(path: folder.path) == last)
    func changes(_ what: String) {
      let next = FilesFingerprint(path: folder.path)
      #expect(next != last, "\(what)")
      last = next
    }
    try Data("22".utf8).write(to: URL(filePath: file))
    changes("written")
    _ = try folder.file("b.json", "1")
    changes("added")
    #expect(rename("\(folder.path)/b.json", file) == 0)
    changes("replaced")
    chmod(file, 0o600)
    changes("made readable")
    try FileManager.default.removeItem(atPath: file)
    changes("removed")
  }

  @Test func `A path that is not there is the same until it comes`() throws {
    let path = "\(folder.path)/later.json"
    let before = FilesFingerprint(path: path)
    #expect(FilesFingerprint(path: path) == before)
    _ = try folder.file("later.json", "")
    #expect(FilesFingerprint(path: path) != before)
  }

  @Test func `Watched are the folder above, the folder itself, and where a link leads`() throws {
    let path = folder.path
    try FileManager.default.createDirectory(atPath: "\(path)/real/inner", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "real/inner")
    #expect(foldersToWatch(for: "\(path)/customers.json") == [path])
    #expect(foldersToWatch(for: "\(path)/real/") == [path, "\(path)/real/"])
    #expect(foldersToWatch(for: "\(path)/link") == [path, "\(path)/link", "\(path)/real"])
    #expect(foldersToWatch(for: "\(path)/not/there/yet.json") == [path])
    #expect(foldersToWatch(for: "here.json") == ["."])
    #expect(foldersToWatch(for: "/here.json") == ["/"])
  }
}
