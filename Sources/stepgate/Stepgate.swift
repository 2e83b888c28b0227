// The command line: one file a command. A command parses and validates its options, calls the module
// that does the work, and turns what that throws into an exit code.
//
// Invariants: data goes to stdout, everything else to stderr; the exit codes are those of `ExitStatus`.

import ArgumentParser
import CFastPath
import Gateway
import Glibc
import Service

@main
struct Stepgate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stepgate",
    abstract: "A streaming gateway for IoT readings: nothing lost, nothing twice, nothing without consent.",
    discussion: """
      Readings arrive over MQTT. Those of customers who agreed to share them for research are joined by \
      time and appended as rows to tables, plain files of newline-delimited JSON that any tool can follow.

      To see it work without a broker, run it over files:
        stepgate replay --customer data/customer --accelerometer data/accelerometer \\
          --step-trainer data/step_trainer --output tables

      Exit codes:
        0   done
        1   it ran and found something wrong
        64  wrong usage
        74  input or output failed
        78  wrong configuration
      """,
    version: stepgateVersion,
    subcommands: [
      Run.self, Replay.self, Simulate.self, Tail.self, Verify.self, Journal.self, Status.self,
      CheckConfig.self,
    ])

  static func main() async {
    // A pipe or a connection that nobody reads any more is an error of the call that writes to it, not the
    // end of the process.
    signal(SIGPIPE, SIG_IGN)
    occupyStandardDescriptors()
    // Threads that hardly allocate need no heaps of their own, of which each keeps what was freed to itself: with a
    // hundred thousand devices 275 instead of 307 MB.
    sg_share_heap()
    await main(nil)
  }
}

/// Where stdin, stdout or stderr is closed, the next file opened would get its number, and a message be
/// written into a table. For reading only, so that writing to it fails as it did before.
private func occupyStandardDescriptors() {
  for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
    // The lowest free number, which is this one.
    _ = open("/dev/null", O_RDONLY)
  }
}
