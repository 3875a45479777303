"""What was measured on."""
import os, platform, subprocess, time


def describe(folder, flist):
    def first_line(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.split("\n")[0].strip()
        except OSError:
            return ""

    with open("/proc/cpuinfo") as facts:
        model = next((row.split(":", 1)[1].strip() for row in facts if row.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as facts:
        memory = next(int(row.split()[1]) for row in facts if row.startswith("MemTotal:"))
    source, kind = (first_line("findmnt", "-n", "-o", "SOURCE,FSTYPE", "-T", folder).split() + ["", ""])[:2]
    disk = first_line("lsblk", "-n", "-d", "-o", "MODEL,SIZE", source)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cores": os.cpu_count(),
        "processor": model,
        "virtual": first_line("systemd-detect-virt") or "unknown",
        "memory_bytes": memory << 10,
        "kernel": platform.release(),
        "disk": " ".join(f"{source} {disk}".split()),
        "file_system": kind,
        "load_at_start": os.getloadavg()[0],
        "flist": first_line(flist, "--version"),
    }


def sentence(facts):
    return (f"{facts['date']}; {facts['flist']}; {facts['cores']} cores of {facts['processor']} "
            f"({'virtual: ' + facts['virtual'] if facts['virtual'] not in ('none', 'unknown') else facts['virtual']}), "
            f"{facts['memory_bytes'] / (1 << 30):.0f} GiB, Linux {facts['kernel']}, {facts['file_system']} on "
            f"{facts['disk']}; load at the start {facts['load_at_start']:.1f}")
