# SPDX-License-Identifier: Apache-2.0
#
# ClickHouse servers of a test's own: in the foreground, on ports of loopback that are free, with all that they write
# below the test's folder. They end with the test.
servers=

# free_ports N: that many, one a line.
free_ports() {
	python3 -c '
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held), sep="\n")' "$1"
}

end_servers() {
	for server in $servers; do
		kill "$server" 2>/dev/null
	done
	wait
}
trap end_servers EXIT
trap 'exit 99' HUP INT TERM

shard() { # shard PORT
	echo "<shard><replica><host>127.0.0.1</host><port>$1</port></replica></shard>"
}

# start_server NAME PORT HTTP_PORT REPLICATION_PORT SHARD_PORT...: in the folder NAME.
start_server() {
	name=$1
	mkdir -p "$name/data" "$name/tmp" "$name/files" "$name/formats"
	cat >"$name/users.xml" <<-END
		<yandex><profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles><users><default>
		<password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
		</default></users><quotas><default></default></quotas></yandex>
	END
	cat >"$name/config.xml" <<-END
		<yandex>
		<logger><level>warning</level><log>$PWD/$name/log</log><errorlog>$PWD/$name/errors</errorlog></logger>
		<listen_host>127.0.0.1</listen_host><tcp_port>$2</tcp_port><http_port>$3</http_port>
		<interserver_http_port>$4</interserver_http_port>
		<path>$PWD/$name/data/</path><tmp_path>$PWD/$name/tmp/</tmp_path><user_files_path>$PWD/$name/files/</user_files_path>
		<format_schema_path>$PWD/$name/formats/</format_schema_path><users_config>$PWD/$name/users.xml</users_config>
		<default_profile>default</default_profile><default_database>default</default_database>
		<mark_cache_size>268435456</mark_cache_size><timezone>UTC</timezone>
		<remote_servers><fencepost>$(shift 4; for port; do shard "$port"; done)</fencepost></remote_servers>
		</yandex>
	END
	clickhouse-server --config-file="$PWD/$name/config.xml" >"$name/out" 2>&1 &
	servers="$servers $!"
	tries=600
	until clickhouse-client --port="$2" --query='SELECT 1' >/dev/null 2>&1; do
		tries=$((tries - 1))
		kill -0 $! 2>/dev/null && test $tries -gt 0 ||
			{ echo "clickhouse-server does not start: $(tail -n 3 "$name/out" "$name/errors")"; exit 99; }
		sleep 0.1
	done
}
