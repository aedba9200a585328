#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so.0";

// The daemon has its socket in /run and talks through shared memory; tokens and locks lie below /var.
constexpr const char* kPrepare = R"(set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/lock/opencryptoki/swtok "$1/swtok/TOK_OBJ" "$1/log/opencryptoki"
mount --bind "$1" /var/lib/opencryptoki
mount --bind "$1/log" /var/log
mount --bind "$2" /etc/opencryptoki
touch "$1/ready"
exec sleep infinity)";

/// OpenCryptokiStack is openCryptoki's software token.
class OpenCryptokiStack final : public Stack {
  public:
    OpenCryptokiStack()
        : Stack({.token = "openCryptoki",
                 .pin = std::string(kUserPin),
                 .no_always_authenticate = "openCryptoki makes no such keys",
                 .no_ec_keys = true}),
          namespaces_(
              {.arguments = {"unshare", "--mount", "--ipc", "sh", "-c", kPrepare, "sh", tokens(), configuration()}},
              office.desk.path("namespaces.log")) {
        wait_until([&] { return std::filesystem::exists(tokens() + "/ready"); }, "namespaces for openCryptoki");
        office.desk.launcher = {"nsenter", "--target", std::to_string(namespaces_.pid()), "--mount", "--ipc", "--"};
        office.desk.module = kModule;
        daemon_.emplace(Command{.arguments = office.desk.launcher + Arguments{"pkcsslotd", "-f"}},
                        office.desk.path("pkcsslotd.log"));
        wait_until([&] { return tool_says({"--list-slots"}).find("uninitialized") != std::string::npos; }, "pkcsslotd");
        initialise();
    }

    void remove() override { daemon_->kill(); }

  private:
    Identity put(const Leaf& leaf) override { return import(leaf); }

    std::string tokens() const {
        std::filesystem::create_directories(office.desk.path("opencryptoki"));
        return office.desk.path("opencryptoki");
    }
    std::string configuration() const {
        std::filesystem::create_directories(office.desk.path("etc"));
        office.desk.file("etc/opencryptoki.conf", "version opencryptoki-3.8\nslot 0\n{\nstdll = libpkcs11_sw.so\n}\n");
        return office.desk.path("etc");
    }

    Background namespaces_;
    std::optional<Background> daemon_;
};

}  // namespace

std::unique_ptr<Stack> start_opencryptoki() {
    need_file(kModule, "opencryptoki");
    need_file("/usr/sbin/pkcsslotd", "opencryptoki");
    need_namespaces({"--mount", "--ipc"});
    return std::make_unique<OpenCryptokiStack>();
}

}  // namespace p11mime::test
