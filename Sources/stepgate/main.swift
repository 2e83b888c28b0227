import Pipeline
import Storage
let a = CommandLine.arguments
let plan = ReplayPlan(customerPath: a[1], accelerometerPath: a[2], stepTrainerPath: a[3], outputDirectory: a[4])
var s = EngineSettings()
if a.count > 5 { s.consent = a[5] == "presence" ? .presence : .enforce }
if a.count > 6 { s.join.pairing = a[6] == "timestamp" ? .timestamp : .owner }
if a.count > 7 { s.join.toleranceMs = Int64(a[7])! }
let r = try Replay(plan, settings: s, fileSystem: LocalFileSystem(), arrivalMs: 0).run()
for (t, n) in r.rows { print(t.name, n) }
print(r.counts.balance)
