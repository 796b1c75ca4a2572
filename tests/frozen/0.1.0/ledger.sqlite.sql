BEGIN TRANSACTION;
CREATE TABLE privacy_ledger (
    seq INTEGER NOT NULL,
    previous VARCHAR(64) NOT NULL,
    time VARCHAR(40) NOT NULL,
    state VARCHAR(10) NOT NULL,
    "of" INTEGER,
    dataset VARCHAR(40) NOT NULL,
    month VARCHAR(7) NOT NULL,
    unit VARCHAR NOT NULL,
    rows_per_unit VARCHAR NOT NULL,
    nano_rho BIGINT NOT NULL,
    plan_hash VARCHAR(64) NOT NULL,
    input_hash VARCHAR(64) NOT NULL,
    release VARCHAR(20) NOT NULL,
    artefact_hash VARCHAR(64) NOT NULL,
    reason VARCHAR NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (previous),
    UNIQUE ("of"),
    UNIQUE (hash)
);
INSERT INTO "privacy_ledger" VALUES(1,'0000000000000000000000000000000000000000000000000000000000000000','2025-08-03','reserved',NULL,'moderation','2025-07','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','7da17af605c9aa76b7ce389dffc0f34da74ec87d15998371683a940b5de0326b');
INSERT INTO "privacy_ledger" VALUES(2,'7da17af605c9aa76b7ce389dffc0f34da74ec87d15998371683a940b5de0326b','2025-08-03','committed',1,'moderation','2025-07','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-07.1','2222222222222222222222222222222222222222222222222222222222222222','','b7ba1ef07a474dedd4fec54d65fa4b0e9a30b334b2cf7f5828cefd7ced4e43a9');
INSERT INTO "privacy_ledger" VALUES(3,'b7ba1ef07a474dedd4fec54d65fa4b0e9a30b334b2cf7f5828cefd7ced4e43a9','2025-09-03','reserved',NULL,'moderation','2025-08','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','cbad32a2665488d10be1c7a7803c9d745ef5d0763e1c0f4158b40411f81c7c2f');
INSERT INTO "privacy_ledger" VALUES(4,'cbad32a2665488d10be1c7a7803c9d745ef5d0763e1c0f4158b40411f81c7c2f','2025-09-03','committed',3,'moderation','2025-08','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-08.1','2222222222222222222222222222222222222222222222222222222222222222','','a4a6d16598efb5c6886d5484c737c32f2b7e8ccd374d43d5f0c7a7b85e0a78a1');
INSERT INTO "privacy_ledger" VALUES(5,'a4a6d16598efb5c6886d5484c737c32f2b7e8ccd374d43d5f0c7a7b85e0a78a1','2025-10-03','reserved',NULL,'moderation','2025-09','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','567fd74369f5dd2b4be739f050e9fa4cf3ecfe973815ef256a463301fd1d5659');
INSERT INTO "privacy_ledger" VALUES(6,'567fd74369f5dd2b4be739f050e9fa4cf3ecfe973815ef256a463301fd1d5659','2025-10-03','committed',5,'moderation','2025-09','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-09.1','2222222222222222222222222222222222222222222222222222222222222222','','a5515ff0bc1a807ed071cc28cb33a48f8f5a8db1c5a4038674ce60baaad10688');
INSERT INTO "privacy_ledger" VALUES(7,'a5515ff0bc1a807ed071cc28cb33a48f8f5a8db1c5a4038674ce60baaad10688','2025-11-03','reserved',NULL,'moderation','2025-10','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','836122b3f4cd16a8a5485a66e05161df527cf85a204c1314b6630f0d84f1705a');
INSERT INTO "privacy_ledger" VALUES(8,'836122b3f4cd16a8a5485a66e05161df527cf85a204c1314b6630f0d84f1705a','2025-11-03','committed',7,'moderation','2025-10','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-10.1','2222222222222222222222222222222222222222222222222222222222222222','','f1e361d48976ae36ecbddd15d5fa470f73cd2fd1ce14026cc8474a3d5b347b28');
INSERT INTO "privacy_ledger" VALUES(9,'f1e361d48976ae36ecbddd15d5fa470f73cd2fd1ce14026cc8474a3d5b347b28','2025-12-03','reserved',NULL,'moderation','2025-11','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','32593095d197e652bb220d9ee795766148964e7724eba0f9e8995acf22df8ed2');
INSERT INTO "privacy_ledger" VALUES(10,'32593095d197e652bb220d9ee795766148964e7724eba0f9e8995acf22df8ed2','2025-12-03','committed',9,'moderation','2025-11','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-11.1','2222222222222222222222222222222222222222222222222222222222222222','','8ed24979bbe80e8ee604abd1739f55b302bf5f832028fe628f061368745b9aec');
INSERT INTO "privacy_ledger" VALUES(11,'8ed24979bbe80e8ee604abd1739f55b302bf5f832028fe628f061368745b9aec','2026-01-03','reserved',NULL,'moderation','2025-12','person, the account restricted','actions 20, accounts all',458000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','483e833cbb5c00609418873b0dc2ef6323b63a33a17ee45b3304cf845e4e7170');
INSERT INTO "privacy_ledger" VALUES(12,'483e833cbb5c00609418873b0dc2ef6323b63a33a17ee45b3304cf845e4e7170','2026-01-03','committed',11,'moderation','2025-12','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2025-12.1','2222222222222222222222222222222222222222222222222222222222222222','','6c2e596bebfcfad654590e0d9bb57a3899610f1eba64ac9d893d9c18790b89dc');
INSERT INTO "privacy_ledger" VALUES(13,'6c2e596bebfcfad654590e0d9bb57a3899610f1eba64ac9d893d9c18790b89dc','2026-01-03','reserved',NULL,'recommendations','2025-12','person, the recipient shown recommendations','actions 20, accounts all',42000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','3826aee1bb669bc0776fd0ec401a7d93981540594b5d275788943ea4be4684f2');
INSERT INTO "privacy_ledger" VALUES(14,'3826aee1bb669bc0776fd0ec401a7d93981540594b5d275788943ea4be4684f2','2026-01-04','void',13,'recommendations','2025-12','person, the recipient shown recommendations','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','the build failed','5e0f406b8fe097ae51019fc6bd3327d9a3d387f85eb3e86bc06fc8bf93781424');
INSERT INTO "privacy_ledger" VALUES(15,'5e0f406b8fe097ae51019fc6bd3327d9a3d387f85eb3e86bc06fc8bf93781424','2026-02-03','reserved',NULL,'moderation','2026-01','person, the account restricted','actions 20, accounts all',354000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','bcc932494c0d5ae682414bb8a9954ee5e08e53f8dcfd806599c78ced9ef7f553');
INSERT INTO "privacy_ledger" VALUES(16,'bcc932494c0d5ae682414bb8a9954ee5e08e53f8dcfd806599c78ced9ef7f553','2026-02-03','committed',15,'moderation','2026-01','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2026-01.1','2222222222222222222222222222222222222222222222222222222222222222','','1dd6b9bffaa69ac25e3c4c6a28df0a195dd2a5f4fe9e26e55e078bb71ddac736');
INSERT INTO "privacy_ledger" VALUES(17,'1dd6b9bffaa69ac25e3c4c6a28df0a195dd2a5f4fe9e26e55e078bb71ddac736','2026-02-03','reserved',NULL,'moderation','2026-01','person, the account restricted','actions 20, accounts all',104000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','sellers’ accounts were counted as persons','30b25555bdafa269a4e7c60cc571f732e0a516753c2d49b5aef188a976b0ffb4');
INSERT INTO "privacy_ledger" VALUES(18,'30b25555bdafa269a4e7c60cc571f732e0a516753c2d49b5aef188a976b0ffb4','2026-02-03','committed',17,'moderation','2026-01','person, the account restricted','actions 20, accounts all',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','1111111111111111111111111111111111111111111111111111111111111111','2026-01.2','2222222222222222222222222222222222222222222222222222222222222222','','1dd65ca95b4707868f98d50d8b0d5a1077cdf5214c2767ffedceb1ad8475820c');
INSERT INTO "privacy_ledger" VALUES(19,'1dd65ca95b4707868f98d50d8b0d5a1077cdf5214c2767ffedceb1ad8475820c','2026-03-03','reserved',NULL,'moderation','2026-02','person, the account restricted','actions 20, accounts all',104000000,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','','','','','591127df1bb9abebf4168952cd2579f1c80a76c57455ac2828816b5beb0135bb');
CREATE TABLE privacy_ledger_name (
    name VARCHAR(32) NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO "privacy_ledger_name" VALUES('360a49d608e59212888809878c282ea5');
CREATE TRIGGER privacy_ledger_update BEFORE UPDATE ON privacy_ledger BEGIN SELECT RAISE(ABORT, 'the privacy ledger is append-only'); END;
CREATE TRIGGER privacy_ledger_delete BEFORE DELETE ON privacy_ledger BEGIN SELECT RAISE(ABORT, 'the privacy ledger is append-only'); END;
COMMIT;
