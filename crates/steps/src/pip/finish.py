# Finishes one package that pip installed; the argument is its .dist-info folder. Compiles its modules, so that they start
# fast and the bytecode is reproducible, and removes the record of where this build installed the package from.
import csv
import importlib.util
import os
import py_compile
import sys

info = sys.argv[1]
site, name = os.path.split(info)
record = os.path.join(info, 'RECORD')
origin = name + '/direct_url.json'

with open(record, newline='', encoding='utf-8') as file:
    rows = [row for row in csv.reader(file) if row and row[0] != origin]
paths = {row[0] for row in rows}
mode = getattr(py_compile, 'PycInvalidationMode', None)
for path in sorted(paths):
    source = os.path.join(site, path)
    inside = not (os.path.isabs(path) or '..' in path.split('/'))
    if mode is None or not (inside and path.endswith('.py') and os.path.isfile(source)):
        continue
    cache = importlib.util.cache_from_source(path)
    # The package may ship its own bytecode.
    if cache in paths:
        continue
    try:
        py_compile.compile(source, cfile=os.path.join(site, cache), dfile=source, doraise=True,
                           invalidation_mode=mode.UNCHECKED_HASH)
    except Exception:
        # Packages contain modules for other versions of python.
        continue
    rows.append([cache, '', ''])
rows.sort()
with open(record, 'w', newline='', encoding='utf-8') as file:
    csv.writer(file).writerows(rows)
os.remove(os.path.join(info, 'direct_url.json'))
