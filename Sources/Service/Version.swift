// The program's version, which the command line, the status and the metrics tell.

/// As in CHANGELOG.md.
public let stepgateVersion = "0.1.0"
