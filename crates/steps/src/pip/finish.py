# Finishes one package that pip installed; the arguments are its .dist-info folder, and the content of its direct_url.json, if
# it is to have one. Compiles its modules, so that they start fast and the bytecode is reproducible, and removes the record of
# where this build installed the package from.
import base64
import csv
import hashlib
import os
import py_compile
import sys

info, direct_url = (sys.argv[1:] + [''])[:2]
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
if direct_url:
    content = direct_url.encode('utf-8')
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode('ascii').rstrip('=')
    rows.append([origin, 'sha256=' + digest, str(len(content))])
    with open(os.path.join(info, 'direct_url.json'), 'wb') as file:
        file.write(content)
else:
    os.remove(os.path.join(info, 'direct_url.json'))
rows.sort()
with opened('w') as file:
    csv.writer(file).writerows(rows)
