"""A service that uses a file of the whole repository."""

from pathlib import Path

from tqdm import tqdm

for line in tqdm(Path("shop.txt").read_text().splitlines(), disable=True):
    print("the api of", line)
