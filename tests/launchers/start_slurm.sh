#!/bin/sh
# Starts a real SLURM of one node for tests: start_slurm.sh FOLDER; all it does stays in
# FOLDER, and `sh FOLDER/stop` ends it. Needs Debian's packages munge, slurmctld, slurmd,
# slurmdbd, slurm-client and mariadb-server, and root, under which slurmd runs.
# What runs in it finds it by SLURM_CONF=FOLDER/slurm.conf.
set -eu
folder=$1
[ "$(id -u)" = 0 ] || { echo "must be root, as slurmd must" >&2; exit 1; }
for program in munged slurmctld slurmd slurmdbd mariadbd sbatch; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
mkdir -p "$folder"
cd "$folder"
folder=$PWD
host=$(hostname -s)
# Ports that nobody has, so that two may run side by side.
base=$(python3 - <<'PYTHON'
import socket
for base in range(20000, 30000, 10):
    try:
        for port in range(base, base + 4):
            with socket.socket() as tried:
                tried.bind(("", port))
    except OSError:
        continue
    print(base)
    break
PYTHON
)
mkdir -m 0755 munge spool state mysql
dd if=/dev/urandom of=munge/key bs=1 count=1024 2>/dev/null
chmod 0400 munge/key
cat > stop <<'SHELL'
#!/bin/sh
# Ends what start_slurm.sh started, the jobs first.
cd "$(dirname "$0")"
SLURM_CONF=$PWD/slurm.conf scancel --full --user root 2>/dev/null || true
sleep 1
for name in slurmd slurmctld slurmdbd mysql/mariadb munge/munged; do
    [ -f "$name.pid" ] && kill "$(cat "$name.pid")" 2>/dev/null
done
exit 0
SHELL

wait_for() {  # what, then a command that succeeds once it is there
    what=$1
    shift
    for _ in $(seq 80); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.25
    done
    echo "$what did not start; its log is in $folder" >&2
    sh ./stop
    exit 1
}

# It wants a folder of its own that nobody else may write to, in which to listen.
munged --force --key-file=munge/key --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/munged.pid" --log-file="$folder/munge/munged.log" \
    --seed-file="$folder/munge/seed"
wait_for munge munge --socket="$folder/munge/socket" --no-input

# Accounting is what submitit asks about the state of a job.
mariadb-install-db --no-defaults --user=root --datadir="$folder/mysql" \
    --auth-root-authentication-method=normal --skip-test-db >mysql.log 2>&1
mariadbd --no-defaults --user=root --datadir="$folder/mysql" --skip-networking \
    --socket="$folder/mysql/socket" --pid-file="$folder/mysql/mariadb.pid" \
    --innodb-buffer-pool-size=64M >>mysql.log 2>&1 &
wait_for mariadb mariadb-admin --no-defaults --socket="$folder/mysql/socket" ping

cat > slurmdbd.conf <<CONF
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
DbdHost=$host
DbdPort=$((base + 2))
SlurmUser=root
StorageType=accounting_storage/mysql
StorageUser=root
StorageLoc=slurm
LogFile=$folder/slurmdbd.log
PidFile=$folder/slurmdbd.pid
CONF
chmod 0600 slurmdbd.conf
cat > slurm.conf <<CONF
ClusterName=tests
SlurmctldHost=$host
SlurmctldPort=$base
SlurmdPort=$((base + 1))
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
# A container has no control groups to give.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=${KILL_WAIT:-5}
MpiDefault=none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$host
AccountingStoragePort=$((base + 2))
AccountingStoragePass=$folder/munge/socket
NodeName=$host CPUs=${CPUS:-2} State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
SLURM_CONF=$folder/slurm.conf
SLURMDBD_CONF=$folder/slurmdbd.conf
export SLURM_CONF SLURMDBD_CONF
MYSQL_UNIX_PORT=$folder/mysql/socket slurmdbd
wait_for slurmdbd sacctmgr --immediate list cluster
sacctmgr --immediate add cluster tests >/dev/null 2>&1 || true
slurmctld
slurmd
idle() { [ "$(sinfo --noheader --format=%t)" = idle ]; }
wait_for slurm idle
echo "$SLURM_CONF"
