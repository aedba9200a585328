// What is installed for udev and systemd, as their own tools see it.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime::test;

namespace {

struct Device {
    std::string vendor, product;
    std::string interfaces{};  // descriptors, in hex
};

// Descriptors of a device, of one interface of class 0x0b, and of its endpoint (USB 2.0 section 9.6): a CCID reader.
constexpr const char* kCcidInterface = "12010002000000400000000000000000000109040000010B00000007058102400000";

// In umockdev's format, one device a port.
std::string description(const std::vector<Device>& devices) {
    std::string text;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const Device& device = devices[i];
        text += fmt::format(
            "P: /devices/usb1/1-{0}\nN: bus/usb/001/{0:03}\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: MAJOR=189\n"
            "E: MINOR={0}\nE: DEVNAME=/dev/bus/usb/001/{0:03}\nA: idVendor={1}\\n\nA: idProduct={2}\\n\n"
            "A: dev=189:{0}\\n\n",
            i + 1, device.vendor, device.product);
        if (!device.interfaces.empty()) text += fmt::format("H: descriptors={}\n", device.interfaces);
        text += "\n";
    }
    return text;
}

// The properties that udev gives each device with our rules beside the system's, in a mount namespace of its own.
std::vector<std::string> properties(const std::vector<Device>& devices, const std::string& rules) {
    const TemporaryDirectory directory;
    write_file(directory / "devices", description(devices));
    write_file(directory / "look.sh",
               fmt::format("set -e\nmkdir -p /run/udev\nmount -t tmpfs none /run/udev\nmkdir /run/udev/rules.d\n"
                           "cp {} /run/udev/rules.d/\nfor i in $(seq {}); do echo \"=\"\n"
                           "umockdev-run -d {} -- udevadm test --action=add /sys/devices/usb1/1-$i 2>/dev/null\ndone\n",
                           rules, devices.size(), directory / "devices"));
    const Outcome outcome = run_process({.arguments = {"unshare", "-m", "sh", directory / "look.sh"}});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    std::vector<std::string> all;
    for (std::size_t at = outcome.out.find("=\n"); at != std::string::npos;) {
        const std::size_t next = outcome.out.find("\n=\n", at);
        all.push_back(outcome.out.substr(at, next == std::string::npos ? next : next - at + 1));
        at = next == std::string::npos ? next : next + 1;
    }
    REQUIRE(all.size() == devices.size());
    return all;
}

bool in_reach(const std::string& properties) {
    const std::size_t tags = properties.find("\nTAGS=");
    return tags != std::string::npos &&
           properties.substr(tags, properties.find('\n', tags + 1) - tags).find(":uaccess:") != std::string::npos;
}

bool starts_target(const std::string& properties) {
    return properties.find("\nSYSTEMD_USER_WANTS=smartcard.target\n") != std::string::npos;
}

bool cannot(const std::vector<std::string>& command) {
    return run_process({.arguments = command}).status != 0;
}

}  // namespace

TEST_CASE("udev gives the person at the machine the tokens that are no CCID readers, and nothing else", "[e2e]") {
    if (cannot({"unshare", "-m", "true"}) || cannot({"sh", "-c", "command -v umockdev-run udevadm"})) {
        skip("no mount namespace, umockdev or udevadm");
        return;
    }
    const std::string rules = source_path("udev/65-p11mime.rules");
    const std::vector<Device> cards = {{"0973", "0001"}, {"0529", "050c"}, {"0529", "0514"}, {"0529", "0600"},
                                       {"0529", "0700"}, {"073d", "0005"}, {"04b9", "1200"}, {"04b9", "1300"},
                                       {"096e", "0005"}, {"096e", "0401"}, {"0a89", "0012"}, {"0a89", "0020"}};
    for (const std::string& device : properties(cards, rules)) {
        INFO(device);
        CHECK(in_reach(device));
        CHECK(starts_target(device));
    }
    const auto others =
        properties({{"1050", "0030"}, {"046d", "c077"}, {"0529", "0001"}, {"1050", "0407", kCcidInterface}}, rules);
    CHECK(in_reach(others[0]));  // a YubiHSM has no card in it
    CHECK_FALSE(starts_target(others[0]));
    CHECK_FALSE(in_reach(others[1]));  // a mouse
    CHECK_FALSE(starts_target(others[1]));
    CHECK_FALSE(in_reach(others[2]));  // another product of a vendor that is in the table
    CHECK(in_reach(others[3]));        // systemd knows CCID readers by itself
    CHECK(starts_target(others[3]));
    const auto without = properties({cards[0], {"1050", "0407", kCcidInterface}}, "/dev/null");
    CHECK_FALSE(in_reach(without[0]));
    CHECK(in_reach(without[1]));
}

TEST_CASE("the installation puts rules and unit where udev and systemd look, and smartcard.target wants the unit",
          "[e2e]") {
    if (cannot({"sh", "-c", "command -v systemd-analyze systemctl"})) {
        skip("systemd is not installed");
        return;
    }
    const TemporaryDirectory root;
    std::filesystem::create_directory(root / "run");
    const std::string prefix = root / "usr";
    const Outcome installed = run_process({.arguments = {"cmake", "--install", built_path(".."), "--prefix", prefix}});
    INFO(installed.err);
    REQUIRE(installed.status == 0);
    CHECK(read_file(prefix + "/lib/udev/rules.d/65-p11mime.rules") == read_file(source_path("udev/65-p11mime.rules")));
    const std::string unit = prefix + "/lib/systemd/user/p11mime-watch.service";
    CHECK_THAT(read_file(unit), Catch::Contains("\nExecStart=" + prefix + "/bin/p11mime watch\n"));

    const Outcome verified = run_process({.arguments = {"systemd-analyze", "verify", "--user", "--man=no", unit},
                                          .environment = {{"XDG_RUNTIME_DIR", root / "run"}}});
    CHECK(verified.status == 0);
    CHECK(verified.out + verified.err == "");  // it says what it does not understand, and goes on

    const Outcome enabled = run_process(
        {.arguments = {"systemctl", "--root=" + root.path().string(), "--global", "enable", "p11mime-watch.service"}});
    INFO(enabled.err);
    CHECK(enabled.status == 0);
    CHECK(std::filesystem::is_symlink(root / "etc/systemd/user/smartcard.target.wants/p11mime-watch.service"));
}
