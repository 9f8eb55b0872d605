"""bill.py licences|sbom - what the program is made of.

`sbom` prints a CycloneDX 1.5 document, `licences` the licence texts of every
crate linked into the static program. Facts come from `cargo metadata` and
Cargo.lock; nothing depends on the time or the machine.
"""

import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = "x86_64-unknown-linux-musl"
LICENCE_FILES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*", "UNLICENSE*")


def metadata():
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version=1", "--locked",
               "--offline", f"--filter-platform={TARGET}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def checksums():
    """SHA-256 of each crate's archive, as Cargo.lock pins it."""
    found = {}
    with open(os.path.join(ROOT, "Cargo.lock"), encoding="utf-8") as lock:
        for block in lock.read().split("[[package]]")[1:]:
            fields = dict(re.findall(r'^(\w+) = "(.*)"$', block, re.M))
            found[fields["name"], fields["version"]] = fields.get("checksum")
    return found


def linked(meta):
    """The packages that reach the program by ordinary dependencies, and their edges."""
    nodes = {node["id"]: node for node in meta["resolve"]["nodes"]}
    edges, queue = {}, [meta["resolve"]["root"]]
    while queue:
        name = queue.pop()
        if name in edges:
            continue
        edges[name] = sorted(
            dep["pkg"] for dep in nodes[name]["deps"]
            if any(kind["kind"] is None for kind in dep["dep_kinds"]))
        queue.extend(edges[name])
    packages = {package["id"]: package for package in meta["packages"] if package["id"] in edges}
    return packages, edges


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def sbom():
    meta = metadata()
    packages, edges = linked(meta)
    sums = checksums()
    root = packages[meta["resolve"]["root"]]

    def component(package):
        entry = {"type": "library", "bom-ref": purl(package), "name": package["name"],
                 "version": package["version"], "purl": purl(package),
                 "scope": "excluded" if is_macro(package) else "required"}
        if package["license"]:
            expression = package["license"].replace("/", " OR ")
            entry["licenses"] = [{"expression": expression}]
        checksum = sums.get((package["name"], package["version"]))
        if checksum:
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return entry

    rest = sorted((p for p in packages.values() if p is not root), key=purl)
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": purl(root), "name": root["name"],
                                   "version": root["version"], "purl": purl(root),
                                   "licenses": [{"expression": root["license"]}]}},
        "components": [component(package) for package in rest],
        "dependencies": sorted(
            ({"ref": purl(packages[name]), "dependsOn": sorted(purl(packages[d]) for d in edges[name])}
             for name in packages), key=lambda entry: entry["ref"]),
    }
    print(json.dumps(document, indent=1, sort_keys=True))


def licences():
    packages, _ = linked(metadata())
    texts = {}
    print("sluice contains these crates, under the licences named; the texts follow.\n")
    for package in sorted(packages.values(), key=purl):
        if package["name"] == "sluice" or is_macro(package):
            continue
        label = f"{package['name']} {package['version']}"
        print(f"{label}: {package['license'] or 'see its text'}")
        folder = os.path.dirname(package["manifest_path"])
        for pattern in LICENCE_FILES:
            for path in sorted(glob.glob(os.path.join(folder, pattern))):
                if os.path.isfile(path):
                    with open(path, encoding="utf-8", errors="replace") as file:
                        texts.setdefault(file.read().strip(), []).append(label)
    for text, labels in sorted(texts.items(), key=lambda item: item[1]):
        print("\n" + "-" * 72 + "\n" + ", ".join(dict.fromkeys(labels)) + "\n\n" + text)


if __name__ == "__main__":
    jobs = {"sbom": sbom, "licences": licences}
    if len(sys.argv) != 2 or sys.argv[1] not in jobs:
        sys.exit(__doc__)
    jobs[sys.argv[1]]()
