// What the process takes of the machine, as Prometheus's own clients tell it.

import Glibc

extension GatewayStatus.Process {
  /// The figures of this process now; 0 where /proc is not there.
  static func current() -> Self {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    let cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1_000
    return Self(residentBytes: residentBytes(), cpuSeconds: cpuSeconds, openFiles: openFiles())
  }

  // The second number of /proc/self/statm is pages (proc(5)).
  private static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(CInt(_SC_PAGESIZE)))
  }

  private static func openFiles() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
      if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
    }
    // The folder itself was open meanwhile.
    return count - 1
  }
}
