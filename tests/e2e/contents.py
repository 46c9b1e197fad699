"""Compares the files of an environment with its packages' records and prints the result as JSON."""
import hashlib
import json
import os
import sys

PREFIX = "/opt/conda"
records = []
for name in sorted(os.listdir(f"{PREFIX}/conda-meta")):
    if name.endswith(".json"):
        with open(f"{PREFIX}/conda-meta/{name}") as file:
            records.append(json.load(file))

missing, different, claimed = [], [], set()
for record in records:
    for entry in record["paths_data"]["paths"]:
        path = f"{PREFIX}/{entry['_path']}"
        claimed.add(entry["_path"])
        if not os.path.lexists(path):
            missing.append(entry["_path"])
        elif entry["path_type"] == "hardlink" and not os.path.islink(path):
            with open(path, "rb") as file:
                found = hashlib.sha256(file.read()).hexdigest()
            if found != entry.get("sha256_in_prefix", entry["sha256"]):
                different.append([record["name"], entry["_path"]])

unclaimed, owners = [], set()
for folder, folders, names in os.walk(PREFIX):
    for name in names + [name for name in folders if os.path.islink(f"{folder}/{name}")]:
        path = os.path.relpath(f"{folder}/{name}", PREFIX)
        if path not in claimed and not path.startswith("conda-meta/"):
            unclaimed.append(path)
    for name in names + folders:
        status = os.lstat(f"{folder}/{name}")
        owners.add(f"{status.st_uid}:{status.st_gid}")

json.dump(
    {
        "urls": {record["name"]: record["url"] for record in records},
        "missing": missing,
        "different": different,
        "unclaimed": sorted(unclaimed),
        "owners": sorted(owners),
        "history": os.path.getsize(f"{PREFIX}/conda-meta/history"),
    },
    sys.stdout,
)
