// A place in a table, as a checkpoint keeps it.

/// Where a table's next row goes. `SegmentWriter.position` gives it, and a writer can be opened at it.
public struct TablePosition: Equatable, Sendable {
  /// The segment: the offset of its first row.
  public var baseOffset: Int
  /// The byte in that segment.
  public var byte: Int
  /// The row's offset. Less than `baseOffset` only while the rows of segments that were moved away are
  /// made once more; `byte` is 0 then.
  public var offset: Int

  public init(baseOffset: Int, byte: Int, offset: Int) {
    self.baseOffset = baseOffset
    self.byte = byte
    self.offset = offset
  }

  /// The beginning of the table.
  public static let start = TablePosition(baseOffset: 0, byte: 0, offset: 0)
}
