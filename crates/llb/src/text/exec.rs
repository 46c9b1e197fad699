//! Exec operations as text.

use buildkit_proto::pb;
use pb::{CacheSharingOpt, MountContentCache, MountType, NetMode, SecurityMode};

use super::inputs::InputNames;
use super::writer::{Writer, quoted};

pub(super) fn write(out: &mut Writer, inputs: &InputNames<'_>, exec: &pb::ExecOp) {
    match &exec.meta {
        Some(meta) => process(out, meta),
        None => out.line(format_args!("no process")),
    }
    match NetMode::try_from(exec.network) {
        Ok(NetMode::Unset) => {}
        Ok(NetMode::Host) => out.line(format_args!("network host")),
        Ok(NetMode::None) => out.line(format_args!("network none")),
        Err(_) => out.line(format_args!("network {}", exec.network)),
    }
    match SecurityMode::try_from(exec.security) {
        Ok(SecurityMode::Sandbox) => {}
        Ok(SecurityMode::Insecure) => out.line(format_args!("security insecure")),
        Err(_) => out.line(format_args!("security {}", exec.security)),
    }
    for secret in &exec.secretenv {
        out.line(format_args!(
            "secret env {} {}{}",
            quoted(&secret.name),
            quoted(&secret.id),
            optional(secret.optional)
        ));
    }
    for device in &exec.cdi_devices {
        out.line(format_args!(
            "device {}{}",
            quoted(&device.name),
            optional(device.optional)
        ));
    }
    for mount in &exec.mounts {
        out.line(format_args!("{}", show_mount(inputs, mount)));
    }
}

fn process(out: &mut Writer, meta: &pb::Meta) {
    for arg in &meta.args {
        out.field("arg", arg);
    }
    for env in &meta.env {
        out.field("env", env);
    }
    out.optional("cwd", &meta.cwd);
    out.optional("user", &meta.user);
    out.optional("hostname", &meta.hostname);
    out.optional("cgroup-parent", &meta.cgroup_parent);
    if let Some(proxy) = &meta.proxy_env {
        for (name, value) in [
            ("http_proxy", &proxy.http_proxy),
            ("https_proxy", &proxy.https_proxy),
            ("ftp_proxy", &proxy.ftp_proxy),
            ("no_proxy", &proxy.no_proxy),
            ("all_proxy", &proxy.all_proxy),
        ] {
            out.optional(name, value);
        }
    }
    for host in &meta.extra_hosts {
        out.line(format_args!(
            "host {} {}",
            quoted(&host.host),
            quoted(&host.ip)
        ));
    }
    for limit in &meta.ulimit {
        let name = quoted(&limit.name);
        out.line(format_args!("ulimit {name} {} {}", limit.soft, limit.hard));
    }
    if !meta.valid_exit_codes.is_empty() {
        out.line(format_args!("exit codes {:?}", meta.valid_exit_codes));
    }
    if meta.remove_mount_stubs_recursive {
        out.line(format_args!("remove mount stubs"));
    }
}

fn show_mount(inputs: &InputNames<'_>, mount: &pb::Mount) -> String {
    let mut text = format!("mount {}", quoted(&mount.dest));
    let mut add = |part: String| {
        text.push(' ');
        text.push_str(&part);
    };
    let kind = MountType::try_from(mount.mount_type);
    add(match kind {
        Ok(MountType::Bind) => "bind".to_owned(),
        Ok(MountType::Secret) => "secret".to_owned(),
        Ok(MountType::Ssh) => "ssh".to_owned(),
        Ok(MountType::Cache) => "cache".to_owned(),
        Ok(MountType::Tmpfs) => "tmpfs".to_owned(),
        Err(_) => format!("type {}", mount.mount_type),
    });
    if let Some(tmpfs) = &mount.tmpfs_opt
        && tmpfs.size != 0
    {
        add(format!("size {}", tmpfs.size));
    }
    if let Some(cache) = &mount.cache_opt {
        add(quoted(&cache.id).to_string());
        add(match CacheSharingOpt::try_from(cache.sharing) {
            Ok(CacheSharingOpt::Shared) => "shared".to_owned(),
            Ok(CacheSharingOpt::Private) => "private".to_owned(),
            Ok(CacheSharingOpt::Locked) => "locked".to_owned(),
            Err(_) => format!("sharing {}", cache.sharing),
        });
    }
    if let Some(opt) = &mount.secret_opt {
        add(file(&opt.id, opt.uid, opt.gid, opt.mode, opt.optional));
    }
    if let Some(opt) = &mount.ssh_opt {
        add(file(&opt.id, opt.uid, opt.gid, opt.mode, opt.optional));
    }
    let has_input = matches!(kind, Ok(MountType::Bind | MountType::Cache));
    if has_input || mount.input != crate::node::NONE {
        add(inputs.name(mount.input));
    }
    if !mount.selector.is_empty() {
        add(format!("path {}", quoted(&mount.selector)));
    }
    if mount.readonly {
        add("read-only".to_owned());
    }
    match MountContentCache::try_from(mount.content_cache) {
        Ok(MountContentCache::Default) => {}
        Ok(MountContentCache::On) => add("content cache on".to_owned()),
        Ok(MountContentCache::Off) => add("content cache off".to_owned()),
        Err(_) => add(format!("content cache {}", mount.content_cache)),
    }
    if !mount.result_id.is_empty() {
        add(format!("result id {}", quoted(&mount.result_id)));
    }
    if mount.output != crate::node::NONE {
        add(format!("-> output {}", mount.output));
    }
    text
}

fn file(id: &str, uid: u32, gid: u32, mode: u32, is_optional: bool) -> String {
    let id = quoted(id);
    format!(
        "{id} owner {uid}:{gid} mode 0{mode:o}{}",
        optional(is_optional)
    )
}

fn optional(optional: bool) -> &'static str {
    if optional { " optional" } else { "" }
}

/// The limits in the metadata of an exec operation.
pub(super) fn resources(out: &mut Writer, resources: &pb::LinuxResources) {
    for (name, value) in [
        ("memory", resources.memory.to_string()),
        ("memory+swap", resources.memory_swap.to_string()),
        ("cpu shares", resources.cpu_shares.to_string()),
        ("cpu period", resources.cpu_period.to_string()),
        ("cpu quota", resources.cpu_quota.to_string()),
    ] {
        if value != "0" {
            out.line(format_args!("{name} {value}"));
        }
    }
    out.optional("cpus", &resources.cpuset_cpus);
    out.optional("mems", &resources.cpuset_mems);
}
