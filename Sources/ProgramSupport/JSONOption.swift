public import ArgumentParser

/// Facts for programs.
public struct JSONOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON.")
    public var isOn = false

    public init() {}
}
