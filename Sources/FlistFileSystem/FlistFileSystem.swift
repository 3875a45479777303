internal import Support
