import Testing

@testable import Threads

@Suite struct PulseTests {
  @Test func `A step under way is busy, each step counts, and a rest is none`() {
    let pulse = Pulse()
    #expect(pulse.reading == Pulse.Reading(steps: 0, isBusy: false))
    pulse.works()
    #expect(pulse.reading == Pulse.Reading(steps: 1, isBusy: true))
    pulse.works()
    #expect(pulse.reading == Pulse.Reading(steps: 2, isBusy: true))
    pulse.rests()
    pulse.rests()
    #expect(pulse.reading == Pulse.Reading(steps: 2, isBusy: false))
    pulse.works()
    #expect(pulse.reading == Pulse.Reading(steps: 3, isBusy: true))
  }
}
