# Has a pip that is too old to report what it would install do so all the same, in the form of newer ones (--dry-run --report):
# 20.3.4 and 21.3.1, the last ones for python 2.7 and 3.5, and for 3.6. The arguments are the path of this pip, that of the
# report, and pip's own.
import email
import hashlib
import json
import os
import sys
import zipfile

path, report = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(path))

from pip._internal.cli.main import main
from pip._internal.commands.install import InstallCommand
from pip._internal.req.req_set import RequirementSet
from pip._internal.utils.misc import remove_auth_from_url


def digest(path):
    found = hashlib.sha256()
    with open(path, 'rb') as file:
        for part in iter(lambda: file.read(1 << 20), b''):
            found.update(part)
    return found.hexdigest()


def metadata_of(req):
    if not req.link.is_wheel:
        return req.metadata
    with zipfile.ZipFile(req.local_file_path) as wheel:
        found = [name for name in wheel.namelist() if name.endswith('.dist-info/METADATA') and name.count('/') == 1]
        text = wheel.read(found[0])
    return email.message_from_string(text) if sys.version_info[0] == 2 else email.message_from_bytes(text)


def described(req):
    origin = {'url': remove_auth_from_url(req.link.url_without_fragment)}
    if req.local_file_path:
        origin['archive_info'] = {'hashes': {'sha256': digest(req.local_file_path)}}
    metadata = metadata_of(req)
    found = {
        'name': metadata['Name'],
        'version': metadata['Version'],
        'requires_dist': metadata.get_all('Requires-Dist') or [],
    }
    if metadata['Requires-Python']:
        found['requires_python'] = metadata['Requires-Python']
    return {'metadata': found, 'download_info': origin}


make_resolver = InstallCommand.make_resolver


def make_reporting_resolver(*args, **kwargs):
    resolver = make_resolver(*args, **kwargs)
    resolve = resolver.resolve

    def resolve_and_report(*args, **kwargs):
        found = resolve(*args, **kwargs).requirements.values()
        # The resolver for python 2 has constraints and what is installed among them.
        found = [req for req in found if not (req.constraint or req.satisfied_by)]
        with open(report, 'w') as file:
            json.dump({'install': [described(req) for req in found]}, file)
        # Then there is nothing to install.
        return RequirementSet()

    resolver.resolve = resolve_and_report
    return resolver


InstallCommand.make_resolver = staticmethod(make_reporting_resolver)
sys.exit(main(sys.argv[3:]))
