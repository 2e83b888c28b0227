import Pipeline
import Testing
import TestSupport

/// The engine against the contract, executed slowly, over random worlds.
@Suite struct EngineTests {
  private static let worlds = 300

  @Test func `A replay gives the rows and verdicts of the contract`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      let failure = try maker.replay().failure()
      #expect(failure == nil, "world \(number) of seed \(seed)")
      if failure != nil { return }
    }
  }

  @Test func `Times at the ends of what 64 bits hold are times like all others`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      let failure = try maker.replay(extremeTimes: true).failure()
      #expect(failure == nil, "world \(number) of seed \(seed)")
      if failure != nil { return }
    }
  }

  @Test func `The gateway at work gives the rows and verdicts of the contract`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      let failure = try maker.live().failure()
      #expect(failure == nil, "world \(number) of seed \(seed)")
      if failure != nil { return }
    }
  }

  @Test func `Other batches and another hash seed give the same bytes`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      let world = maker.random.oneIn(2) ? maker.replay() : maker.live()
      let sizes = [Int.random(in: 1...4, using: &maker.random), Int.random(in: 1...30, using: &maker.random)]
      let first = try world.run()
      let second = try world.run(batchSizes: sizes, hashSeed: maker.random.next())
      for table in first.tables {
        #expect(try first.bytes(of: table) == second.bytes(of: table), "world \(number) of seed \(seed)")
      }
      #expect(first.engine.counts == second.engine.counts)
      #expect(first.engine.counts.balance)
    }
  }

  @Test func `The order in which readings arrive decides the order of rows, never which there are`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      var world = maker.customersFirst()
      let first = try Outcome(world.run())
      let customers = world.messages.filter { $0.kind == "customer" }
      let readings = world.messages.filter { $0.kind != "customer" }
      world.messages = customers + readings.shuffled(using: &maker.random)
      let second = try Outcome(world.run())
      for table in ["customers_curated", "machine_learning_curated", "step_trainer_trusted"] {
        #expect(first.rows[table] == second.rows[table], "world \(number) of seed \(seed)\n\(world)")
      }
    }
  }
}
