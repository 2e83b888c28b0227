import Storage
public struct TablePosition: Equatable, Sendable {
  public var baseOffset: Int
  public var byte: Int
  public var offset: Int
  public init(baseOffset: Int, byte: Int, offset: Int) { self.baseOffset = baseOffset; self.byte = byte; self.offset = offset }
  public static let start = TablePosition(baseOffset: 0, byte: 0, offset: 0)
}
public struct RecoveryFinding: Sendable, CustomStringConvertible { public var description: String { "" } }
extension SegmentWriter {
  public convenience init(fileSystem: any FileSystem, directory: String, options: SegmentOptions, resumingAt position: TablePosition) throws(SegmentLogError) {
    try self.init(fileSystem: fileSystem, directory: directory, options: options) }
  public var position: TablePosition { .start }
  public func endCatchUp() throws(StorageError) -> Int { 0 }
  public func takeFindings() -> [RecoveryFinding] { [] }
  public func rowsAreDurable(to position: TablePosition) throws(StorageError) {}
}
public func segmentPath(directory: String, baseOffset: Int) -> String { "" }
