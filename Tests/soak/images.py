"""Trees with known sums, and flists of them whose blocks lie in both stores."""
import dataclasses, hashlib, os

from table.work import run


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def sum_of(content):
    return hashlib.sha256(content).digest()


@dataclasses.dataclass(frozen=True)
class Image:
    name: str
    flist: str
    # Size and sum of each file, by its path.
    files: dict

    @property
    def folders(self):
        return sorted({os.path.dirname(name) for name in self.files})


def tree(folder, generator, sizes, count, width):
    """Files of given sizes in nested folders: name, size, sum."""
    files = {}
    for number in range(count):
        name = f"d{number % width}/e{number % 7}/f{number}"
        os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
        content = generator.randbytes(generator.choice(sizes))
        write(os.path.join(folder, name), content)
        files[name] = (len(content), sum_of(content))
    return files


def make(work, stores, folder, store_urls, generator):
    """Flists of many small files, of few large ones, and of both. Blocks go to `store_urls`, reads come by `stores`."""
    shapes = {"small": ([0, 1, 100, 4096, 5000, 70000, 300000], 800, 20), "large": ([20 << 20, 33 << 20], 5, 2),
              "mixed": ([10, 9000, 600000, 2 << 20, 5 << 20], 60, 5)}
    images = []
    for name, (sizes, count, width) in shapes.items():
        source, flist = os.path.join(folder, name), os.path.join(folder, name + ".fl")
        files = tree(source, generator, sizes, count, width)
        run(work.flist, "pack", "-q", "-m", flist, *sum([["-s", url] for url in store_urls], []), source)
        # The mounts know the stores only as they are behind the proxies.
        run(work.flist, "route", flist, "add", *[store.url for store in stores])
        run(work.flist, "route", flist, "delete", *store_urls)
        images.append(Image(name, flist, files))
    return images
