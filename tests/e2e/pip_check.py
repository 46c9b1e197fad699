import base64, csv, hashlib, importlib.util, os, stat, subprocess, sys
from importlib.metadata import distributions

prefix = '/opt/conda'
site = prefix + '/lib/python3.13/site-packages'
checked = []
for dist in distributions():
    if (dist.read_text('INSTALLER') or '').strip() != 'pip':
        continue
    # A folder of the build is no address.
    origin = dist.read_text('direct_url.json') or ''
    assert 'file:' not in origin, (dist, origin)
    for path, digest, size in csv.reader(dist.read_text('RECORD').splitlines()):
        full = os.path.normpath(os.path.join(site, path))
        status = os.lstat(full)
        assert (status.st_uid, status.st_gid) == (57439, 57439), (full, status)
        assert status.st_mtime == 315532800, (full, status)
        assert stat.S_IMODE(status.st_mode) in (0o644, 0o755), (full, status)
        content = open(full, 'rb').read()
        if digest:
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=')
            assert digest == 'sha256=' + found.decode(), full
            assert int(size) == len(content), full
        if path.endswith('.pyc'):
            # PEP 552: a hash that is not checked.
            assert content[4:8] == b'\1\0\0\0', full
            assert full.encode().rsplit(b'/', 2)[0] in content, full
        if path.endswith('.py') and not path.endswith('old.py'):
            cache = os.path.join(os.path.dirname(full), '__pycache__')
            name = os.path.basename(full)[:-3] + '.cpython-313.pyc'
            assert name in os.listdir(cache), full
    checked.append(dist.metadata['Name'].lower().replace('_', '-'))
# Directories too, and nothing belongs to another user.
recorded = {os.path.normpath(os.path.join(site, row[0]))
            for dist in distributions()
            for row in csv.reader((dist.read_text('RECORD') or '').splitlines())}
for folder, folders, files in os.walk(prefix):
    status = os.lstat(folder)
    assert (status.st_uid, status.st_mtime) == (57439, 315532800), (folder, status)
    for name in files:
        full = os.path.join(folder, name)
        assert os.lstat(full).st_uid == 57439, full
for folder in '/root', '/tmp', '/home/mambauser':
    left = [name for name in os.listdir(folder) if name not in ('.bashrc', '.profile', '.bash_logout')]
    assert not left, (folder, left)
for folder in '/in', '/facts', '/out', '/.condafront':
    assert not os.path.exists(folder), folder
# An environment of a lock need not have pip.
if importlib.util.find_spec('pip'):
    subprocess.run([sys.executable, '-m', 'pip', 'check'], check=True, stdout=subprocess.DEVNULL)
print('checked', *sorted(checked))
