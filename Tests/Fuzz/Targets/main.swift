// The fuzzing program: what follows a target's name are libFuzzer's own arguments.
//
//     fuzz TARGET [-max_total_time=60] [CORPUS...]     look for inputs that break it
//     fuzz TARGET FILE...                              repeat some
//     fuzz seeds DIRECTORY                             write well-formed inputs to DIRECTORY/TARGET/
//
// Tests/Fuzz/fuzz.sh calls it. Set SWIFT_BACKTRACE=enable=no: the backtracer hangs on a crash.

import CLibFuzzer
import Glibc
import Storage

// For -merge=1 libFuzzer starts the program again, with its own arguments alone; the environment stays.
let targetVariable = "STEPGATE_FUZZ_TARGET"
let words = CommandLine.arguments

func fail(_ text: String, exitCode: CInt) -> Never {
  _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  exit(exitCode)
}

if words.count == 3, words[1] == "seeds" {
  do throws(StorageError) {
    for target in FuzzTarget.allCases { try target.writeSeeds(to: "\(words[2])/\(target.rawValue)") }
  } catch { fail("\(error)\n", exitCode: EX_IOERR) }
  exit(EXIT_SUCCESS)
}
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
if words.count > 1, FuzzTarget(rawValue: words[1]) != nil {
  setenv(targetVariable, words[1], 1)
  CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
  arguments = CommandLine.unsafeArgv + 1
  count -= 1
}
guard let name = getenv(targetVariable), let target = FuzzTarget(rawValue: String(cString: name)) else {
  let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
  fail(
    "usage: fuzz TARGET [libFuzzer's arguments] | fuzz seeds DIRECTORY\ntargets: \(names)\n",
    exitCode: EX_USAGE)
}
exit(LLVMFuzzerRunDriver(&count, &arguments, target.run))
