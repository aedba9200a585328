#include "softhsm-tests/stacks/nss_database.h"
#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

constexpr const char* kProxy = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so";

// p11-kit takes no other configuration from root than the system's.
constexpr const char* kLaunch = R"(mount --bind "$0" /usr/share/p11-kit/modules && exec "$@")";

/// P11KitStack is several tokens at once, those of the modules that p11-kit has configured: SoftHSM, where the RSA keys
/// are, NSS, where the EC keys are, and a module that does not load.
class P11KitStack final : public Stack {
  public:
    explicit P11KitStack(const std::string& module)
        : Stack({.token = "Desk", .pin = std::string(kUserPin), .no_removal = "SoftHSM has no reader"}),
          database_(office.desk, pin()) {
        const Desk& desk = office.desk;
        std::filesystem::create_directory(desk.path("modules"));
        desk.file("modules/softhsm2.module", "module: " + SoftHsm::module() + "\n");
        desk.file("modules/profile.module", "module: " + std::string(NssDatabase::kModule) +
                                                "\nx-init-reserved: " + database_.arguments() + "\n");
        desk.file("modules/missing.module", "module: /nowhere/missing.so\ncritical: no\n");
        tool_module = SoftHsm::module();
        office.desk.module = module;
        office.desk.launcher = {"unshare", "--mount", "sh", "-c", kLaunch, desk.path("modules")};
    }

  private:
    Identity put(const Leaf& leaf) override {
        if (leaf.kind == KeyKind::rsa2048) return import(leaf, Half::both);
        Identity identity = office.correspond(leaf);
        database_.import(identity);
        return identity;
    }

    NssDatabase database_;
};

std::unique_ptr<Stack> start(const std::string& module) {
    need_file(NssDatabase::kModule, "libnss3");
    need_file("/usr/bin/certutil", "libnss3-tools");
    need_file("/usr/share/p11-kit/modules", "p11-kit-modules");
    need_namespaces({"--mount"});
    return std::make_unique<P11KitStack>(module);
}

}  // namespace

std::unique_ptr<Stack> start_proxy() {
    need_file(kProxy, "p11-kit-modules");
    return start(kProxy);
}

std::unique_ptr<Stack> start_configured() {
    return start("");
}

}  // namespace p11mime::test
