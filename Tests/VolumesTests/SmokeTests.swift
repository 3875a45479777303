import Testing
@testable import Volumes
@Suite struct Smoke {
    @Test(arguments: Ground.allCases) func a(g: Ground) throws {
        try withPlace(g) { p in
            let s = try p.store()
            #expect(try s.lookup("x") == nil)
            var times: [Duration] = []
            let c = ContinuousClock()
            for i in 0..<60 { times.append(try c.measure { _ = try s.create("v\(i)", limit: 256 << 20) }) }
            print(g, "first", times[0], "median", times[1...].sorted()[30], "max", times[1...].max()!)
            print(try s.lookup("v1")!, try c.measure { _ = try s.lookup("v1") }, try c.measure { _ = try s.all() })
            times = []
            for i in 0..<60 { times.append(try c.measure { _ = try s.delete("v\(i)") }) }
            print(g, "delete median", times.sorted()[30], "max", times.max()!)
            let t = c.now
            print(eventually { (try? p.groups().count) == 0 }, c.now - t)
            s.close()
            print(try p.mounts(), try p.loopFiles())
        }
    }
}
