# Runs pip in two ways that pip itself does not have. The arguments are the path of pip, if it is not the environment's own; a
# folder with the metadata of packages that are to count as installed; where to write the names of the distributions that pip asks
# about; where to write what an old pip would install; and pip's own arguments. The first four may be empty.
import email
import hashlib
import json
import os
import sys
import zipfile

path, metadata, asked, report = sys.argv[1:5]
if path:
    sys.path.insert(0, os.path.dirname(path))
if metadata:
    # Each folder of modules in the prefix has one here.
    inside = [folder for folder in sys.path if folder.startswith(sys.prefix + os.sep)]
    sys.path.extend(filter(os.path.isdir, [metadata + folder[len(sys.prefix):] for folder in inside]))

import pip
from pip._internal.cli.main import main

sys.argv[0] = os.path.join(os.path.dirname(pip.__file__), '__main__.py')
names = set()
unknown = []


class Installed(dict):
    '''Installed distributions by their names. Remembers which pip asks about.'''

    def __getitem__(self, name):
        names.add(name)
        return dict.__getitem__(self, name)

    def __contains__(self, name):
        names.add(name)
        return dict.__contains__(self, name)

    def get(self, name, default=None):
        names.add(name)
        return dict.get(self, name, default)


def about_all(name):
    def method(self, *args, **kwargs):
        unknown.append(name)
        return getattr(dict, name)(self, *args, **kwargs)
    return method


for name in set(dir(dict)) - set(dir(object)) - set(vars(Installed)) - {'__setitem__'}:
    setattr(Installed, name, about_all(name))


def and_then(function, act):
    def both(self, *args, **kwargs):
        function(self, *args, **kwargs)
        act(self)
    return both


def remember(made):
    if type(getattr(made, '_installed_dists', None)) is dict:
        made._installed_dists = Installed(made._installed_dists)
    else:
        unknown.append('_installed_dists')


def watch():
    from pip._internal.resolution.resolvelib.factory import Factory
    Factory.__init__ = and_then(Factory.__init__, remember)
    try:
        from pip._internal.resolution.legacy.resolver import Resolver
    except ImportError:
        return
    Resolver.__init__ = and_then(Resolver.__init__, lambda made: unknown.append('legacy'))


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
    return {'metadata': found, 'download_info': origin, 'is_direct': bool(req.original_link)}


# What --dry-run --report does in newer ones. The old ones are 20.3.4 and 21.3.1, the last for python 2.7 and 3.5, and for 3.6.
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


if report:
    from pip._internal.commands.install import InstallCommand
    from pip._internal.req.req_set import RequirementSet
    from pip._internal.utils.misc import remove_auth_from_url
    make_resolver = InstallCommand.make_resolver
    InstallCommand.make_resolver = staticmethod(make_reporting_resolver)
if asked:
    watch()
try:
    sys.exit(main(sys.argv[5:]))
finally:
    if asked:
        with open(asked, 'w') as file:
            json.dump(None if unknown else sorted(names), file)
