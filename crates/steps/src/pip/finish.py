# Finishes one package that pip installed; the argument is its .dist-info folder. Compiles its modules, so that they start
# fast and the bytecode is reproducible, and removes the record of where this build installed the package from.
import csv
import os
import py_compile
import sys

info = sys.argv[1]
site, name = os.path.split(info)
record = os.path.join(info, 'RECORD')
origin = name + '/direct_url.json'


def opened(mode):
    if sys.version_info[0] == 2:
        return open(record, mode + 'b')
    return open(record, mode, newline='', encoding='utf-8')


with opened('r') as file:
    rows = [row for row in csv.reader(file) if row and row[0] != origin]
paths = {row[0] for row in rows}
# Before python 3.7, bytecode has the time of its source in it.
mode = getattr(py_compile, 'PycInvalidationMode', None)
for path in sorted(paths if mode else []):
    source = os.path.join(site, path)
    inside = not (os.path.isabs(path) or '..' in path.split('/'))
    if not (inside and path.endswith('.py') and os.path.isfile(source)):
        continue
    from importlib.util import cache_from_source
    cache = cache_from_source(path)
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
with opened('w') as file:
    csv.writer(file).writerows(rows)
os.remove(os.path.join(info, 'direct_url.json'))
