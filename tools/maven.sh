# Programs from Maven Central, which need neither Docker nor an archive: tools/kafka/fetch and tools/opensearch/fetch source this
# file. Their pom.xml alone defines the versions; nothing is built.
# shellcheck shell=sh

# The value of a property: POM NAME.
property() { sed -n "s|.*<$2>\(.*\)</$2>.*|\1|p" "$1"; }

# Prints a Java between two major versions: from JAVA_HOME, from PATH, from where Linux installs several, from Homebrew's folder.
find_java() {
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || :)" /usr/lib/jvm/*/bin/java \
        /opt/homebrew/opt/openjdk*/bin/java /usr/local/opt/openjdk*/bin/java; do
        [ -x "$java" ] || continue
        # On macOS, `java` may only print where to get Java. A real one prints: openjdk version "17.0.15" 2025-04-15
        version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
        if [ "${version:-0}" -ge "$1" ] && [ "${version:-0}" -le "$2" ]; then
            echo "$java"
            return
        fi
    done
}

# Prints what this machine lacks, one per line: the FOLDER that has the jars already, the JAVA found, the words for the right one.
missing() {
    [ -n "$2" ] || echo "$3"
    [ -d "$1" ] || command -v mvn >/dev/null 2>&1 || echo Maven
}

# Copies what a POM names, and what that needs at run time, into FOLDER: POM FOLDER.
copy_jars() {
    mvn --batch-mode --quiet --file "$1" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$2" >"$2.log" 2>&1 || {
        cat "$2.log" >&2
        return 1
    }
    rm -f "$2.log"
}

# Gives a finished folder its name: DRAFT FOLDER. Another process may have been faster; its folder is just as good. (GNU mv would
# move into an existing folder.)
finish() {
    # The server may run as another user.
    chmod -R a+rX "$1"
    [ -d "$2" ] || mv "$1" "$2" 2>/dev/null || [ -d "$2" ]
}
