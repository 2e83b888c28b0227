import SegmentLog
import Testing

@Suite struct RecoveryFindingTests {
  @Test func `Only what was not on stable storage yet is no damage`() {
    func isUnsynced(_ path: String, _ outcome: RecoveryFinding.Outcome) -> Bool {
      RecoveryFinding(path: path, byte: 7, what: "differs", outcome: outcome).isUnsyncedEnd
    }
    let (segment, checksums) = ("/t/\(segmentFile(0))", "/t/\(sidecarFile(0))")
    #expect(isUnsynced(segment, .cut(bytes: 12)))
    #expect(isUnsynced(checksums, .setAside(path: checksums + ".damaged")))
    #expect(!isUnsynced(segment, .setAside(path: "/t/.\(segmentFile(0)).damaged")))
    #expect(
      !isUnsynced(segment, .setAside(path: checksums + ".damaged")), "its segment lacks what was durable")
    #expect(!isUnsynced(segment, .writtenAgain))
    #expect(!isUnsynced(segment, .rowsMissing(3..<5)))
    #expect(!isUnsynced(segment, .leftInPlace))
  }
}
