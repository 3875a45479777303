"""What is read: generated trees, the same in every run, and a Debian root."""
import os, random, tarfile, io

from .work import need, run, say


def bytes_of(random_bytes, size):
    """Half noise, half text that compresses, as files of a root do."""
    noise = random_bytes.randbytes(size // 2)
    return noise + (noise[:16].hex().encode() * (size // 32 + 1))[:size - len(noise)]


def small(folder, files, least=1000, most=20000, per_directory=100):
    """Files of 1 to 20 KB in directories of a hundred."""
    source = random.Random(1)
    for number in range(files):
        directory = os.path.join(folder, f"d{number // per_directory:04}")
        if number % per_directory == 0:
            os.makedirs(directory)
        with open(os.path.join(directory, f"f{number % per_directory:02}"), "wb") as out:
            out.write(bytes_of(source, source.randrange(least, most)))


def large(folder, files, mebibytes):
    """Files that do not compress."""
    os.makedirs(folder)
    source = random.Random(2)
    for number in range(files):
        with open(os.path.join(folder, f"large{number}"), "wb") as out:
            for _ in range(mebibytes):
                out.write(source.randbytes(1 << 20))


def entries(folder, count):
    """So many entries, the root not counted: directories with 99 empty files each."""
    for number in range(count // 100):
        directory = os.path.join(folder, f"d{number // 100:03}-{number % 100:02}")
        os.makedirs(directory)
        for file in range(99):
            os.close(os.open(os.path.join(directory, f"file-{file:02}.txt"), os.O_CREAT | os.O_WRONLY, 0o644))


def archive(path, count, filled):
    """A tar with so many entries, of whose files `filled` have bytes, each its own: quicker than making as many files."""
    directories = count // 100
    every = max(1, directories * 99 // filled)
    number = 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for directory in range(directories):
            name = f"d{directory // 100:03}/d{directory % 100:02}"
            if directory % 100 == 0:
                tar.addfile(folder_entry(f"d{directory // 100:03}"))
            tar.addfile(folder_entry(name))
            for file in range(99):
                content = b"%d\n" % number * 16 if number % every == 0 else b""
                member = tarfile.TarInfo(f"{name}/file-{file:02}.txt")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
                number += 1


def folder_entry(name):
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member


def debian(folder):
    """A Debian root, made by debootstrap when it is not there. It is only read."""
    if not os.path.exists(os.path.join(folder, "usr/bin/python3")):
        need("debootstrap", "debootstrap")
        say(f"making a Debian root in {folder} with debootstrap")
        run("debootstrap", "--variant=minbase", "--include=python3,ca-certificates", "bookworm", folder)
    return folder


def counted(folder):
    """Entries below a folder, and the bytes of its regular files."""
    total = size = 0
    for base, folders, names in os.walk(folder):
        total += len(folders) + len(names)
        for name in names:
            status = os.lstat(os.path.join(base, name))
            size += status.st_size if os.path.isfile(os.path.join(base, name)) else 0
    return total, size
