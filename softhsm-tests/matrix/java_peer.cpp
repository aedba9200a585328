#include "softhsm-tests/matrix/java_peer.h"

#include <sstream>

namespace p11mime::test::matrix {

void JavaPeer::add(const Values& values) {
    manifest_ += std::to_string(jobs_++);
    for (const auto& [name, value] : values)
        manifest_ += "\t" + name + "=" + value;
    manifest_ += "\n";
}

std::vector<std::string> JavaPeer::run(const People& people) const {
    const std::string manifest = people.file("manifest", manifest_);
    std::istringstream lines(
        done(run_process({.arguments = {P11MIME_JAVA, "-XX:+UseSerialGC", "-Djava.security.egd=file:/dev/urandom",
                                        "-cp", P11MIME_PEER_CLASSPATH, "Peer", manifest},
                          .environment = {},
                          .timeout = std::chrono::seconds(300)})));
    std::vector<std::string> answers;
    for (std::string line; std::getline(lines, line);)
        answers.push_back(line.substr(line.find('\t') + 1));
    if (answers.size() != jobs_) throw std::runtime_error("the Java program did not do all jobs");
    return answers;
}

}  // namespace p11mime::test::matrix
