use crate::ChaosError;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts this program again, in namespaces of its own for network, mounts and processes, and becomes it.
///
/// The operating system takes the namespaces down with the last process in them, however that ends: no
/// interface, mount or process is left behind. Returns if there are none to be had: false.
pub(crate) fn enter() -> Result<bool, ChaosError> {
    // A bridge is what a machine without the right modules lacks, even where namespaces are to be had.
    let probe = unshare().args(["ip", "link", "add", "probe", "type", "bridge"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Ok(false);
    }
    let program = std::env::current_exe().map_err(ChaosError::system("finding this program"))?;
    let error = unshare().arg(program).args(std::env::args_os().skip(1)).arg("--isolated").exec();
    Err(ChaosError::System { operation: "entering namespaces", source: error })
}

/// Hides this machine's `/run` behind an empty one, where named network namespaces and the nodes' files go.
pub(crate) fn prepare() -> Result<(), ChaosError> {
    mount(Path::new("/run"), "512m")
}

/// Mounts a file system of a bounded size that lives in memory.
pub(crate) fn mount(path: &Path, size: &str) -> Result<(), ChaosError> {
    let path = path.to_string_lossy();
    run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", &path])
}

/// Runs a program of the operating system.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<(), ChaosError> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(ChaosError::system("running a program of the operating system"))?;
    if output.status.success() {
        return Ok(());
    }
    let command = format!("{program} {}", arguments.join(" "));
    Err(ChaosError::Command { command, output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}
