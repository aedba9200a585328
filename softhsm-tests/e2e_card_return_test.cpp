// Cards that are pulled while they work, and come back.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_card_batch.h"

using namespace p11mime::test;

TEST_CASE("a card that is pulled in the middle of a signature ends in exit 4, says so, and leaves no output", "[e2e]") {
    if (skipped_without_readers()) return;
    CardBatch batch(1);
    batch.office.card().order("remove-at authenticate");
    const std::string out = batch.office.desk.path("out.eml");
    const Outcome outcome = batch.office.desk.p11mime({"sign", "-o", out, batch.files.front()});
    CHECK(outcome.status == 4);
    CHECK_FALSE(std::filesystem::exists(out));
    CHECK_THAT(outcome.err, Catch::Contains("was removed from its reader; insert it again and repeat the command") &&
                                !Catch::Contains("CKR_"));
}

TEST_CASE("a reader that is unplugged and a pcscd that dies in the middle of a signature are said as such", "[e2e]") {
    if (skipped_without_readers()) return;
    CardBatch batch(1);
    const auto interrupted = [&](const std::function<void()>& what) {
        batch.office.card().order("hold-at authenticate");
        Running sign(batch.office.desk, {"sign", "-o", batch.office.desk.path("out.eml"), batch.files.front()});
        wait_until([&] { return batch.office.card().status("held") == "true"; }, "the signature under way");
        sign.stop();
        what();
        sign.go_on();
        batch.office.card().order("release");
        CHECK(sign.status() == 4);
        CHECK_FALSE(std::filesystem::exists(batch.office.desk.path("out.eml")));
        return sign.said();
    };
    CHECK_THAT(interrupted([&] { batch.office.readers.stop(); }),
               Catch::Contains("is out of reach: pcscd, which reaches smart card readers, is not running; start it"));
    batch.office.readers.start();
    batch.office.card().insert();
    CHECK_THAT(interrupted([&] { batch.office.readers.unplug(); }),
               Catch::Contains("the reader '" + batch.office.card().reader() + "' with token") &&
                   Catch::Contains("was unplugged; plug it in again and repeat the command"));
}

TEST_CASE("a batch whose card does not come back in time ends in exit 4, and a rerun goes on", "[e2e]") {
    if (skipped_without_readers()) return;
    CardBatch batch(4);
    batch.office.card().order("remove-at authenticate");
    const Outcome first = batch.office.desk.p11mime(batch.command({"-j", "2", "--wait", "1"}));
    INFO(first.err);
    CHECK(first.status == 4);
    CHECK_THAT(first.err, Catch::Contains("was removed from its reader"));
    batch.office.card().insert();
    const Outcome second = batch.office.desk.p11mime(batch.command({"-j", "2"}));
    INFO(second.err);
    CHECK(second.status == 0);
    CHECK(batch.complete());
}
