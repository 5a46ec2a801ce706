//! Where a process keeps what outlives it.

use std::{net::SocketAddr, path::PathBuf};

use chassis_core::config::Invalid;
use chassis_telemetry::{
    Chassis,
    data::{DataConfig, DataFolder},
};

/// Its files, and the checkpoint of a loop of crashes.
pub(crate) struct Place {
    /// Files of its own.
    pub(crate) folder: DataFolder,
    /// What it continues from after it has died; `None` for a process that nobody could start again as the same one, because
    /// it listens on any free port.
    pub(crate) checkpoint: Option<PathBuf>,
}

impl Place {
    /// The place of this process, whose admin port is at `admin`; creates the folder that it was told to use.
    ///
    /// # Errors
    /// When there can be no such folder.
    pub(crate) fn of(
        chassis: &Chassis,
        data: &DataConfig,
        admin: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let name = chassis.service.name;
        let folder = DataFolder::of(data, name);
        if let Some(path) = &data.data_dir {
            folder.create().map_err(|error| {
                Invalid::new(
                    "DATA_DIR",
                    format_args!(
                        "`{}` cannot be created: {error}; name a folder that may be written to",
                        path.display()
                    ),
                )
            })?;
        }
        // On one machine, no two processes have the same admin port at once.
        let port = admin.map(|admin| admin.port()).filter(|port| *port != 0);
        let checkpoint = port.map(|port| folder.path().join(format!("{name}-{port}.checkpoint")));
        Ok(Self { folder, checkpoint })
    }
}
