"""What launch/run would start, wherever it is called: its arguments, an MPIJob, Slurm, a plain machine; Open MPI 4 and
5; and what it refuses or warns of."""

import subprocess
import unittest

from fake_programs import RUN, FakePrograms

TRAIN = ("casvit_dist", "train", "--config", "r.yaml", "--out", "a")


class Words(FakePrograms):
    def test_help_begins_with_an_example_and_nonsense_is_refused(self):
        output = self.run_it("--help")
        self.assertIn("launch/run casvit_dist train --config recipe.yaml", "\n".join(output.splitlines()[:5]))
        for words in (("--nonsense",), (), ("-n", "0", "casvit_dist"), ("--hosts",), ("-n", "x", "true"),
                      ("--with", "ssh", "true"), ("--start-wait", "0", "true"), ("--lost-after", "true"), ("--hosts", "a", "--hostfile", "b", "true")):  # fmt: skip
            with self.subTest(words=words):
                self.run_it(*words, code=2)
        self.assertIn("there is no program frobnicate", self.run_it("frobnicate", code=2))
        self.assertIn("runs alone", self.run_it("casvit_dist", "export", code=2))

    def test_hosts_get_ranks_in_order_and_the_program_knows_its_world(self):
        output, then = self.dry_run("--hosts", "a:2,b:4,c", "-n", "5", *TRAIN, "--set", "train.epochs=3")
        self.assertIn("5 ranks on 2 hosts (a:2 b:4 c:1); from --hosts; with mpirun of Open MPI 4.1.4", output)
        self.assertIn(" -np 5 --bind-to none --map-by slot --tag-output ", then)
        self.assertTrue(then.endswith("--set launch.expect_ranks=5 --set launch.expect_hosts=2"), then)
        self.assertIn(f"{self.bin}/casvit_dist train --config r.yaml --out a --set train.epochs=3", then)
        (first,) = [line for line in output.splitlines() if line.startswith("first: ")]
        self.assertIn(
            "/casvit_dist preflight --config r.yaml --set train.epochs=3 --out a --set launch.expect_ranks=5", first
        )
        self.assertIn("wait: up to 300 s for ssh: a b\n", output)
        self.assertNotIn("allow-run-as-root", output)
        self.assertEqual(self.calls("mpirun -"), ["mpirun --version"])

    def test_a_hostfile_in_either_form(self):
        path = self.folder / "hosts"
        path.write_text("# ours\nn1 slots=4 max_slots=8\nn2:3\n\nn3   # one\n")
        output, then = self.dry_run("--hostfile", str(path), *TRAIN)
        self.assertIn("8 ranks on 3 hosts (n1:4 n2:3 n3:1)", output)
        self.assertIn("cannot read", self.run_it("--hostfile", "none", *TRAIN, code=2))
        self.assertIn("cannot read", self.run_it("--hostfile", str(self.folder), *TRAIN, code=2))

    def test_hostfiles_as_people_have_them(self):
        path = self.folder / "hosts"
        for text, world in (
            ("n1 slots=4\r\nn2\r\n", "5 ranks on 2 hosts (n1:4 n2:1)"),  # from Windows
            ("n1\nn1\nn2\nn1\n", "4 ranks on 2 hosts (n1:3 n2:1)"),  # a line a core, as batch systems write it
            ("n1\tslots = 3 max_slots=9 # slots=8\n10.0.0.2:2", "5 ranks on 2 hosts (n1:3 10.0.0.2:2)"),
            ("fe80::1 slots=2", "2 ranks on 1 host (fe80::1:2)"),
        ):
            with self.subTest(text=text):
                path.write_text(text)
                self.open_mpi("5.0.7" if "fe80" in text else "4.1.4")
                self.assertIn(world, self.dry_run("--hostfile", str(path), *TRAIN)[0])
        for text, why in (
            ("", "names no host"), ("# n1\n\n", "names no host"), ("n1 slots=x2\n", "'x2' is no number of ranks"),
            ("n1 slots=0\n", "'0' is no number"), ("n1 slots=2 port=22\n", "'port=22' is not understood"),
            ("n1:\n", "'' is no number"), ("bad/name\n", "'bad/name' is no name of a host"),
            ("me@n1\n", '--ssh-args "-l me"'),
        ):  # fmt: skip
            with self.subTest(text=text):
                path.write_text(text)
                self.assertIn(why, self.run_it("--hostfile", str(path), *TRAIN, code=2))

    def test_a_name_that_open_mpi_4_ends_at_is_refused(self):
        self.assertIn("there is 'n_1'", self.run_it("--hosts", "a,n_1", *TRAIN, code=2))
        self.open_mpi("5.0.7")
        self.dry_run("--hosts", "a,n_1", *TRAIN)

    def test_this_machine_by_its_address_needs_no_ssh(self):
        self.fake("hostname", "echo '192.0.2.7 2001:db8::7 '")
        output, _ = self.dry_run("--hosts", "192.0.2.7,2001:db8::7,192.0.2.77", *TRAIN, code=0)
        self.assertIn("for ssh: 192.0.2.77\n", output)

    def test_one_host_that_is_another_gets_what_many_do(self):
        _, then = self.dry_run("--hosts", "b:2", "--ssh-args", "-p 2222", *TRAIN)
        self.assertIn("--mca plm_rsh_args -p\\ 2222", then)
        self.assertIn("btl_tcp_if_exclude", then)
        _, then = self.dry_run("--hosts", "localhost:2", *TRAIN)
        self.assertNotIn("rsh", then)

    def test_a_lost_host_is_noticed_after_the_time_given(self):
        _, then = self.dry_run("--hosts", "a,b", *TRAIN)
        for words in ("keepalive_time 10", "keepalive_intvl 5", "keepalive_probes 4"):
            self.assertIn(f"--mca oob_tcp_{words}", then)
        _, then = self.dry_run("--hosts", "a,b", "--lost-after", "120", *TRAIN)
        for words in ("keepalive_time 40", "keepalive_intvl 20", "keepalive_probes 4"):
            self.assertIn(f"--mca oob_tcp_{words}", then)

    def test_more_ranks_than_hosts_take_are_refused(self):
        self.assertIn("3 ranks asked for, but the hosts take 2", self.run_it("-n", "3", "--hosts", "a:2", *TRAIN, code=2))

    def test_what_the_configuration_expects_stands(self):
        self.configure(expect_ranks=16)
        _, then = self.dry_run("--hosts", "a:2,b:2", *TRAIN)
        self.assertNotIn("expect_ranks", then)
        self.assertIn("launch.expect_hosts=2", then)

    def test_other_commands_and_programs(self):
        output, then = self.dry_run("-n", "2", "casvit_dist", "eval", "--checkpoint", "c", "--data", "d")
        self.assertTrue(then.endswith("eval --checkpoint c --data d --set launch.expect_ranks=2 --set launch.expect_hosts=1"))
        self.assertNotIn("first:", output)
        output, then = self.dry_run("-n", "2", "casvit_dist", "bench", "comm")
        self.assertTrue(then.endswith("bench comm"), then)
        output, then = self.dry_run("-n", "2", "--threads", "3", "--", "true", "--set", "x")
        self.assertTrue(then.endswith(f"-x OMP_NUM_THREADS {self.bin}/true --set x"), then)
        output, then = self.dry_run("-n", "2", "casvit_dist", "--config", "dir/name.yaml")
        self.assertIn("preflight --config dir/name.yaml --out runs/name", output)
        output, then = self.dry_run("-n", "2", "casvit_dist", "train", "--config=r.yaml", "--set=a.b=1", "--out=c")
        self.assertIn("preflight --config r.yaml --set a.b=1 --out c", output)

    def test_binding_threads_and_networks(self):
        _, then = self.dry_run("--hosts", "a:2,b:2", "--cores", "6", "--threads", "5", *TRAIN)
        self.assertIn("--bind-to core --map-by slot:PE=6", then)
        self.assertIn("--set launch.threads=5", then)
        self.assertIn("--mca btl_tcp_if_exclude 127.0.0.0/8\\,docker0", then)
        _, then = self.dry_run("--hosts", "a:2,b:2", *TRAIN, OMPI_MCA_btl_tcp_if_include="ib0")
        self.assertNotIn("btl_tcp_if", then)
        output, then = self.dry_run("--hosts", "a:2,b:2", "--interfaces", "eth0", *TRAIN)
        self.assertIn("--mca btl_tcp_if_include eth0", then)
        self.assertIn("--mca oob_tcp_if_include eth0", then)
        self.assertIn("environment: NCCL_SOCKET_IFNAME=eth0", output)
        _, then = self.dry_run("-n", "2", *TRAIN)
        self.assertNotIn("tcp", then)

    def test_variables_of_ours_go_to_other_hosts(self):
        _, then = self.dry_run("--hosts", "a,b", *TRAIN, CASVIT_SHARED_MEMORY="off", NCCL_DEBUG="INFO", SECRET="x")
        self.assertIn("-x CASVIT_SHARED_MEMORY -x NCCL_DEBUG ", then)
        self.assertNotIn("SECRET", then)


class OpenMpi5(FakePrograms):
    def setUp(self):
        super().setUp()
        self.open_mpi("5.0.7")

    def test_its_own_names_for_settings(self):
        _, then = self.dry_run("--hosts", "a:2,b:2", "--interfaces", "eth0", "--ssh-args", "-p 2222", *TRAIN)
        for words in (
            "--output tag", "--prtemca oob_tcp_keepalive_time 10", "--prtemca prte_if_include eth0",
            "--prtemca plm_ssh_args -p\\ 2222", "--mca btl_tcp_if_include eth0",
        ):  # fmt: skip
            self.assertIn(words, then)
        for word in ("orte", "plm_rsh", "--mca oob_tcp", "vader", "--tag-output"):
            self.assertNotIn(word, then)

    def test_what_it_would_ignore_is_said(self):
        output, _ = self.dry_run("--hosts", "a,b", *TRAIN, OMPI_MCA_orte_default_hostfile="/none", OMPI_MCA_oob_tcp_if_include="e")
        self.assertIn("OMPI_MCA_orte_default_hostfile is ignored by Open MPI 5; its name here would be "
                      "PRTE_MCA_prte_default_hostfile", output)  # fmt: skip
        self.assertIn("OMPI_MCA_oob_tcp_if_include is ignored", output)
        output, _ = self.dry_run("--hosts", "a,b", "--mpirun-args", "--mca plm_rsh_agent x", *TRAIN)
        self.assertIn("--mca plm_rsh_agent is ignored by Open MPI 5", output)
        output, _ = self.dry_run("-n", "2", "--ssh-args", "-p 1", *TRAIN)
        self.assertIn("--ssh-args is ignored", output)

    def test_version_4_does_not_know_what_5_has(self):
        self.open_mpi("4.1.4")
        output, _ = self.dry_run("-n", "2", *TRAIN, PRTE_MCA_prte_default_hostfile="/x")
        self.assertIn("PRTE_MCA_prte_default_hostfile is of Open MPI 5, and Open MPI 4 ignores it", output)
        self.run_it("-n", "2", "--mpirun-args", "--prtemca a b", *TRAIN, code=2)

    def test_another_mpirun_and_an_old_one_are_refused(self):
        self.fake("mpirun", "echo HYDRA build details:")
        self.assertIn("is not Open MPI's: 'HYDRA build details:'", self.run_it("-n", "2", *TRAIN, code=2))
        self.open_mpi("3.1.6")
        self.assertIn("too old", self.run_it("-n", "2", *TRAIN, code=2))
        (self.bin / "mpirun").unlink()
        self.assertIn("there is no mpirun on the PATH", self.run_it("-n", "2", *TRAIN, code=2))


class MpiJob(FakePrograms):
    def setUp(self):
        super().setUp()
        self.hostfile = self.folder / "mounted"
        self.hostfile.write_text("j-worker-0.j.ns.svc slots=2\nj-worker-1.j.ns.svc slots=2\n")
        self.given = {
            "K_MPI_JOB_ROLE": "launcher", "OMPI_MCA_orte_default_hostfile": str(self.hostfile),
            "OMPI_MCA_orte_keep_fqdn_hostnames": "true", "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
            "OMPI_MCA_orte_set_default_slots": "2",
        }  # fmt: skip

    def test_what_the_operator_gives_becomes_options_that_both_versions_take(self):
        for version, fqdn, args in (
            ("4.1.4", "--mca orte_keep_fqdn_hostnames 1", "--mca plm_rsh_args"),
            ("5.0.7", "--prtemca prte_keep_fqdn_hostnames 1", "--prtemca plm_ssh_args"),
        ):
            with self.subTest(version=version):
                self.open_mpi(version)
                output, then = self.dry_run("--ssh-args", "-p 2222", *TRAIN, **self.given)
                self.assertIn("4 ranks on 2 hosts (j-worker-0.j.ns.svc:2 j-worker-1.j.ns.svc:2)", output)
                self.assertIn("wait: up to 300 s for ssh: j-worker-0.j.ns.svc j-worker-1.j.ns.svc\n", output)
                self.assertIn(fqdn, then)
                self.assertIn(args + " -o\\ ConnectionAttempts=10\\ -p\\ 2222", then)
                self.assertNotIn("ignored", output)

    def test_slots_that_lines_lack_are_the_operators(self):
        self.hostfile.write_text("a\nb\n")
        output, _ = self.dry_run(*TRAIN, **self.given)
        self.assertIn("4 ranks on 2 hosts (a:2 b:2)", output)

    def test_a_launcher_that_works_too_needs_no_ssh_for_itself(self):
        own = subprocess.run(["uname", "-n"], capture_output=True, text=True, check=True).stdout.strip().split(".")[0]
        self.hostfile.write_text(f"{own}.j.ns.svc slots=1\nj-worker-0.j.ns.svc slots=1\n")
        output, _ = self.dry_run(*TRAIN, **self.given)
        self.assertIn("ssh: j-worker-0.j.ns.svc\n", output)

    def test_a_worker_and_a_launcher_without_hostfile_are_refused(self):
        self.assertIn("this pod is a worker", self.run_it(*TRAIN, code=2, **{**self.given, "K_MPI_JOB_ROLE": "worker"}))
        self.hostfile.unlink()
        self.assertIn("there is no hostfile", self.run_it(*TRAIN, code=2, **self.given))

    def test_arguments_come_first(self):
        output, _ = self.dry_run("-n", "3", *TRAIN, **self.given)
        self.assertIn("3 ranks on 2 hosts", output)
        output, _ = self.dry_run("--hosts", "x:1", *TRAIN, **self.given)
        self.assertIn("1 ranks on 1 host (x:1)", output)


class Slurm(FakePrograms):
    def setUp(self):
        super().setUp()
        self.fake("scontrol", 'printf "%s\\n" n1 n2 n3')
        self.fake("srun", 'if [[ $1 == --mpi=list ]]; then echo "MPI plugin types are..."; echo pmix; echo none; fi')
        self.given = {
            "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n[1-3]", "SLURM_TASKS_PER_NODE": "2(x2),1",
            "SLURM_NTASKS": "5", "SLURM_CPUS_PER_TASK": "4",
        }  # fmt: skip

    def test_srun_where_it_has_pmix(self):
        output, then = self.dry_run(*TRAIN, **self.given)
        self.assertIn("5 ranks on 3 hosts (n1:2 n2:2 n3:1); from Slurm job 7; with srun", output)
        self.assertIn("srun --mpi=pmix --ntasks=5 --nodes=3 --distribution=block --label ", then)
        self.assertIn("--kill-on-bad-exit=1", then)
        self.assertIn("--cpus-per-task=4", then)
        self.assertIn("--set launch.expect_ranks=5 --set launch.expect_hosts=3", then)
        self.assertIn("environment: OMPI_MCA_btl_tcp_if_exclude=", output)
        self.assertNotIn("ssh", output)
        self.assertEqual(self.calls("scontrol"), ["scontrol show hostnames n[1-3]"])

    def test_mpirun_where_it_has_not(self):
        self.fake("srun", "echo none")
        output, then = self.dry_run(*TRAIN, **self.given)
        self.assertIn("mpirun --hostfile", then)
        self.assertIn("for ssh: n1 n2 n3\n", output)
        self.fake("ompi_info", "echo '   MCA plm: slurm (MCA v2.1.0)'")
        output, _ = self.dry_run(*TRAIN, **self.given)
        self.assertNotIn("for ssh", output)
        self.fake("srun", "echo pmix")
        output, then = self.dry_run("--with", "mpirun", *TRAIN, **self.given)
        self.assertIn("then: mpirun", output)

    def test_options_for_mpirun_are_ignored_aloud(self):
        output, _ = self.dry_run("--mpirun-args", "--x", "--ssh-args", "-p 1", *TRAIN, **self.given)
        self.assertIn("--mpirun-args is ignored", output)
        self.assertIn("--ssh-args is ignored", output)

    def test_called_by_srun_it_would_start_all_ranks_many_times(self):
        output = self.run_it(*TRAIN, code=2, SLURM_STEP_ID="0", SLURM_STEP_NUM_TASKS="5", **self.given)
        self.assertIn("srun started launch/run 5 times", output)


class PlainMachine(FakePrograms):
    def test_as_many_ranks_as_gpus(self):
        self.fake("nvidia-smi", 'printf "GPU %s: H100 (UUID: x)\\n" 0 1 2 3')
        output, _ = self.dry_run(*TRAIN)
        self.assertIn("4 ranks on 1 host (localhost:4); from this machine, one rank a GPU", output)
        output, _ = self.dry_run(*TRAIN, CUDA_VISIBLE_DEVICES="2,3")
        self.assertIn("2 ranks", output)
        output, _ = self.dry_run(*TRAIN, CUDA_VISIBLE_DEVICES="")
        self.assertIn("cores", output)

    def test_else_the_most_that_divide_the_shards_and_have_a_core(self):
        for cores, shards, ranks in ((6, 8, 4), (16, 8, 8), (2, 4, 2), (5, 9, 3), (1, 8, 1)):
            with self.subTest(cores=cores, shards=shards):
                self.fake("nproc", f"echo {cores}")
                self.configure(shards=shards)
                output, _ = self.dry_run(*TRAIN)
                self.assertIn(f"{ranks} ranks on 1 host (localhost:{ranks}); from this machine, {cores} cores", output)

    def test_a_configuration_at_fault_ends_it(self):
        self.fake("casvit_dist", "echo 'casvit: unknown key' >&2; exit 2")
        self.assertIn("unknown key", self.run_it(*TRAIN, code=2))

    def test_root_is_told_what_to_set_and_never_allowed_by_us(self):
        output = self.run_it("-n", "2", *TRAIN, code=2, OMPI_ALLOW_RUN_AS_ROOT=None) if is_root() else ""
        if is_root():
            self.assertIn("OMPI_ALLOW_RUN_AS_ROOT=1", output)
            self.assertEqual(self.calls("mpirun -"), ["mpirun --version"])
        with open(RUN, encoding="utf-8") as file:
            self.assertNotIn("--allow-run-as-root", file.read())


def is_root():
    return subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() == "0"


if __name__ == "__main__":
    unittest.main()
