"""What others test file systems with, on our overlay and on one of ext4: `scripts/suites`."""
