#include "store/sealed/master_keys.hpp"

#include <gtest/gtest.h>

#include "store/sealed/data_keys.hpp"

namespace store::sealed {
namespace {

const std::string kKey = core::base64(core::Bytes(32, 7));

TEST(MasterKeys, AreReadFromAList) {
    const auto keys = parse_master_keys("new-2:" + kKey + " , old.1:" + core::base64url(core::Bytes(32, 8)));
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->at(0).id, "new-2");
    EXPECT_EQ(keys->at(1).id, "old.1");
}

TEST(MasterKeys, RefuseWhatIsNoKey) {
    const std::string nameless = ":" + kKey;
    const std::string one = "a" + nameless;
    const std::string unfinished = one + ",";
    for (const auto& text : {std::string{}, std::string{"a"}, std::string{":"}, "a:" + kKey.substr(4), one + "AAAA",
                             "a b" + nameless, nameless, unfinished, unfinished + one, "secret:1" + nameless,
                             std::string(65, 'a') + nameless, std::string{"a:!"}}) {
        EXPECT_FALSE(parse_master_keys(text)) << text;
    }
}

TEST(MasterKeys, UnwrapWhatTheyWrappedAndNothingElse) {
    const MasterKeys keys({derived_master_key("one"), derived_master_key("two")});
    const MasterKeys two({derived_master_key("two")});
    const auto stored = keys.wrap(3, core::Bytes(32, 9), {});
    EXPECT_TRUE(keys.unwrap(stored));
    EXPECT_FALSE(two.unwrap(stored));
    EXPECT_FALSE(keys.rewrap(stored));
    auto moved = stored;
    moved.number = 4;
    EXPECT_FALSE(keys.unwrap(moved));

    const MasterKeys turned({derived_master_key("two"), derived_master_key("one")});
    const auto renewed = turned.rewrap(stored);
    ASSERT_TRUE(renewed);
    EXPECT_TRUE(two.unwrap(*renewed));
    EXPECT_EQ(two.unwrap(*renewed)->mark("a", "b"), keys.unwrap(stored)->mark("a", "b"));
}

TEST(DataKeys, TakeTextsFromBeforeAsTheyAre) {
    const DataKeys keys({{1, core::Aes256Gcm(core::Bytes(32, 1))}});
    const service::SealedColumn column{"t", "c", "id", ""};
    for (const std::string text :
         {"", "enc1", "enc1:", "enc1:x:AAAA", "enc1:0:AAAA", "enc1:1", "enc2:1:AAAA", "plain"}) {
        EXPECT_EQ(keys.open(column, "r", text).value(), text);
        EXPECT_FALSE(key_number_of(text));
    }
}

TEST(DataKeys, SealWhatLooksSealed) {
    const DataKeys keys({{1, core::Aes256Gcm(core::Bytes(32, 1))}, {12, core::Aes256Gcm(core::Bytes(32, 2))}});
    const service::SealedColumn column{"t", "c", "id", ""};
    const auto inner = keys.seal(column, "r", "text");
    const auto outer = keys.seal(column, "r", inner);
    EXPECT_EQ(key_number_of(outer), 12);
    EXPECT_EQ(keys.open(column, "r", outer).value(), inner);
    EXPECT_FALSE(keys.open(column, "s", outer));
    EXPECT_FALSE(keys.open({"t", "d", "id", ""}, "r", outer));
    EXPECT_FALSE(keys.open({"u", "c", "id", ""}, "r", outer));
}

TEST(DataKeys, ErrorsNameNobody) {
    const service::SealedColumn column{"t", "c", "id", ""};
    EXPECT_EQ(cannot_open(column, "12/patient-34/chime", "damaged").detail, "damaged: t.c");
}

}  // namespace
}  // namespace store::sealed
