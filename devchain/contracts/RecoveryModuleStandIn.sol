// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// A STAND-IN FOR LOCAL CHAINS. Not audited, and no other chain may carry it.
//
// The social recovery module 0.0.1 that production uses is in no package, so the local
// chain gets this instead: written anew from a description of the module's interface and
// rules, with none of its code, and put at its addresses. What is called, signed and
// emitted is the same; gas and storage are not.

interface ISafe {
    function execTransactionFromModule(address to, uint256 value, bytes memory data, uint8 operation)
        external
        returns (bool);
    function getOwners() external view returns (address[] memory);
    function isModuleEnabled(address module) external view returns (bool);
    function isOwner(address owner) external view returns (bool);
    function swapOwner(address previous, address old, address owner) external;
    function addOwnerWithThreshold(address owner, uint256 threshold) external;
    function removeOwner(address previous, address owner, uint256 threshold) external;
    function changeThreshold(uint256 threshold) external;
}

interface IERC1271 {
    function isValidSignature(bytes32 hash, bytes memory signature) external view returns (bytes4);
}

/// @title Guardians who together replace the owners of a Safe, after a delay
contract RecoveryModuleStandIn {
    struct SignatureData {
        address signer;
        bytes signature;
    }

    struct RecoveryRequest {
        uint256 guardiansApprovalCount;
        uint256 newThreshold;
        uint64 executeAfter; // 0: there is no request
        address[] newOwners;
    }

    struct Plan {
        mapping(address guardian => address next) list; // from the sentinel round to it
        uint256 count;
        uint256 threshold;
        uint256 nonce;
        RecoveryRequest request;
    }

    string public constant NAME = "Social Recovery Module";
    string public constant VERSION = "0.0.1";
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant RECOVERY_TYPEHASH =
        keccak256("ExecuteRecovery(address wallet,address[] newOwners,uint256 newThreshold,uint256 nonce)");
    address private constant SENTINEL = address(1);
    bytes4 private constant EIP1271_MAGIC = 0x1626ba7e;
    // secp256k1's order, halved: a signature has one form here, the one with the lower s.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    uint256 private immutable delay; // seconds

    mapping(address wallet => Plan) private plans;
    // The hash holds the wallet and the nonce, so old confirmations never count again.
    mapping(bytes32 recoveryHash => mapping(address guardian => bool)) private confirmed;

    event GuardianAdded(address indexed wallet, address indexed guardian);
    event GuardianRevoked(address indexed wallet, address indexed guardian);
    event ChangedThreshold(address indexed wallet, uint256 threshold);
    event RecoveryExecuted(
        address indexed wallet,
        address[] indexed newOwners,
        uint256 newThreshold,
        uint256 nonce,
        uint64 executeAfter,
        uint256 guardiansApprovalCount
    );
    event RecoveryFinalized(
        address indexed wallet, address[] indexed newOwners, uint256 newThreshold, uint256 nonce
    );
    event RecoveryCanceled(address indexed wallet, uint256 nonce);
    event NonceInvalidated(address indexed wallet, uint256 nonce);

    modifier whenEnabled() {
        require(ISafe(msg.sender).isModuleEnabled(address(this)), "GS: module is not enabled");
        _;
    }

    modifier whenRecovery(address wallet) {
        require(plans[wallet].request.executeAfter > 0, "SM: no ongoing recovery");
        _;
    }

    constructor(uint256 delay_) {
        delay = delay_;
    }

    // --- The owners' side: the wallet itself calls ---------------------------------------

    function addGuardianWithThreshold(address guardian, uint256 newThreshold) external whenEnabled {
        Plan storage plan = plans[msg.sender];
        require(
            guardian != address(0) && guardian != SENTINEL && guardian != msg.sender
                && !ISafe(msg.sender).isOwner(guardian),
            "GS: invalid guardian"
        );
        require(plan.list[guardian] == address(0), "GS: duplicate guardian");

        address first = plan.list[SENTINEL];
        plan.list[guardian] = first == address(0) ? SENTINEL : first;
        plan.list[SENTINEL] = guardian;
        plan.count++;
        emit GuardianAdded(msg.sender, guardian);
        _changeThreshold(plan, newThreshold);
    }

    function revokeGuardianWithThreshold(address previous, address guardian, uint256 newThreshold)
        external
        whenEnabled
    {
        Plan storage plan = plans[msg.sender];
        require(guardian != address(0) && guardian != SENTINEL, "GS: invalid guardian");
        require(plan.list[previous] == guardian, "GS: invalid previous guardian");

        plan.list[previous] = plan.list[guardian];
        delete plan.list[guardian];
        plan.count--;
        emit GuardianRevoked(msg.sender, guardian);
        _changeThreshold(plan, newThreshold);
    }

    function changeThreshold(uint256 newThreshold) external whenEnabled {
        _changeThreshold(plans[msg.sender], newThreshold);
    }

    function cancelRecovery() external whenRecovery(msg.sender) {
        Plan storage plan = plans[msg.sender];
        delete plan.request;
        emit RecoveryCanceled(msg.sender, plan.nonce - 1);
    }

    function invalidateNonce() external {
        emit NonceInvalidated(msg.sender, plans[msg.sender].nonce++);
    }

    // --- The guardians' side -------------------------------------------------------------

    function confirmRecovery(
        address wallet,
        address[] calldata newOwners,
        uint256 newThreshold,
        bool execute
    ) external {
        require(isGuardian(wallet, msg.sender), "SM: sender not a guardian");
        confirmed[_currentHash(wallet, newOwners, newThreshold)][msg.sender] = true;
        if (execute) executeRecovery(wallet, newOwners, newThreshold);
    }

    function multiConfirmRecovery(
        address wallet,
        address[] calldata newOwners,
        uint256 newThreshold,
        SignatureData[] calldata signatures,
        bool execute
    ) external {
        bytes32 hash = _currentHash(wallet, newOwners, newThreshold);
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            address signer = signatures[i].signer;
            require(signer > last, "SM: signers not ascending");
            require(isGuardian(wallet, signer), "SM: signer not a guardian");
            require(_hasSigned(signer, hash, signatures[i].signature), "SM: invalid signature");
            confirmed[hash][signer] = true;
            last = signer;
        }
        if (execute) executeRecovery(wallet, newOwners, newThreshold);
    }

    // Whether the owners will do is looked at when it is too late: at finalizeRecovery.
    function executeRecovery(address wallet, address[] calldata newOwners, uint256 newThreshold) public {
        Plan storage plan = plans[wallet];
        require(newOwners.length > 0, "SM: no new owners");
        require(newThreshold > 0 && newThreshold <= newOwners.length, "SM: invalid new threshold");
        uint256 approvals = getRecoveryApprovals(wallet, newOwners, newThreshold);
        require(plan.threshold > 0 && approvals >= plan.threshold, "SM: not enough approvals");
        require(approvals > plan.request.guardiansApprovalCount, "SM: not enough approvals to replace");

        uint64 executeAfter = uint64(block.timestamp + delay);
        uint256 used = plan.nonce++;
        plan.request = RecoveryRequest(approvals, newThreshold, executeAfter, newOwners);
        emit RecoveryExecuted(wallet, newOwners, newThreshold, used, executeAfter, approvals);
    }

    function finalizeRecovery(address wallet) external whenRecovery(wallet) {
        Plan storage plan = plans[wallet];
        RecoveryRequest memory request = plan.request;
        require(block.timestamp >= request.executeAfter, "SM: recovery period still pending");
        delete plan.request;
        for (uint256 i = 0; i < request.newOwners.length; i++) {
            require(!isGuardian(wallet, request.newOwners[i]), "SM: new owner is a guardian");
        }
        _replaceOwners(wallet, request.newOwners, request.newThreshold);
        emit RecoveryFinalized(wallet, request.newOwners, request.newThreshold, plan.nonce - 1);
    }

    // --- What can be asked ---------------------------------------------------------------

    function isGuardian(address wallet, address guardian) public view returns (bool) {
        return guardian != SENTINEL && plans[wallet].list[guardian] != address(0);
    }

    function guardiansCount(address wallet) external view returns (uint256) {
        return plans[wallet].count;
    }

    function threshold(address wallet) external view returns (uint256) {
        return plans[wallet].threshold;
    }

    function nonce(address wallet) external view returns (uint256) {
        return plans[wallet].nonce;
    }

    function getGuardians(address wallet) public view returns (address[] memory found) {
        Plan storage plan = plans[wallet];
        found = new address[](plan.count);
        address guardian = SENTINEL;
        for (uint256 i = 0; i < found.length; i++) {
            guardian = plan.list[guardian];
            found[i] = guardian;
        }
    }

    function getRecoveryRequest(address wallet) external view returns (RecoveryRequest memory) {
        return plans[wallet].request;
    }

    function getRecoveryApprovals(address wallet, address[] calldata newOwners, uint256 newThreshold)
        public
        view
        returns (uint256 approvals)
    {
        bytes32 hash = _currentHash(wallet, newOwners, newThreshold);
        address[] memory guardians = getGuardians(wallet);
        for (uint256 i = 0; i < guardians.length; i++) {
            if (confirmed[hash][guardians[i]]) approvals++;
        }
    }

    function hasGuardianApproved(
        address wallet,
        address guardian,
        address[] calldata newOwners,
        uint256 newThreshold
    ) external view returns (bool) {
        return confirmed[_currentHash(wallet, newOwners, newThreshold)][guardian];
    }

    function getRecoveryHash(
        address wallet,
        address[] calldata newOwners,
        uint256 newThreshold,
        uint256 nonce_
    ) public view returns (bytes32) {
        bytes32 owners = keccak256(abi.encodePacked(newOwners));
        bytes32 message = keccak256(abi.encode(RECOVERY_TYPEHASH, wallet, owners, newThreshold, nonce_));
        return keccak256(abi.encodePacked("\x19\x01", domainSeparator(), message));
    }

    // Not kept: the code is put at addresses where no constructor of it ever ran.
    function domainSeparator() public view returns (bytes32) {
        bytes32 name = keccak256(bytes(NAME));
        bytes32 version = keccak256(bytes(VERSION));
        return keccak256(abi.encode(DOMAIN_TYPEHASH, name, version, block.chainid, address(this)));
    }

    // --- Inside --------------------------------------------------------------------------

    function _currentHash(address wallet, address[] calldata newOwners, uint256 newThreshold)
        private
        view
        returns (bytes32)
    {
        return getRecoveryHash(wallet, newOwners, newThreshold, plans[wallet].nonce);
    }

    function _changeThreshold(Plan storage plan, uint256 newThreshold) private {
        bool isReached = newThreshold <= plan.count;
        bool isSome = (newThreshold > 0) == (plan.count > 0);
        require(isReached && isSome, "GS: invalid threshold");
        if (plan.threshold == newThreshold) return;
        plan.threshold = newThreshold;
        emit ChangedThreshold(msg.sender, newThreshold);
    }

    function _hasSigned(address signer, bytes32 hash, bytes calldata signature) private view returns (bool) {
        if (signature.length == 0) return signer == msg.sender;
        if (signature.length == 65) {
            (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
            bool isLow = uint256(s) <= HALF_ORDER;
            if (isLow && ecrecover(hash, uint8(signature[64]), r, s) == signer) return true;
        }
        if (signer.code.length == 0) return false;
        (bool answered, bytes memory answer) =
            signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (hash, signature)));
        return answered && answer.length == 32 && bytes32(answer) == bytes32(EIP1271_MAGIC);
    }

    // All owners but the first go, the first becomes the first new one, the others come.
    function _replaceOwners(address wallet, address[] memory newOwners, uint256 newThreshold) private {
        address[] memory owners = ISafe(wallet).getOwners();
        for (uint256 i = owners.length - 1; i > 0; i--) {
            _do(wallet, abi.encodeCall(ISafe.removeOwner, (owners[i - 1], owners[i], 1)));
        }
        if (newOwners[0] != owners[0]) {
            _do(wallet, abi.encodeCall(ISafe.swapOwner, (SENTINEL, owners[0], newOwners[0])));
        }
        for (uint256 i = 1; i < newOwners.length; i++) {
            _do(wallet, abi.encodeCall(ISafe.addOwnerWithThreshold, (newOwners[i], 1)));
        }
        _do(wallet, abi.encodeCall(ISafe.changeThreshold, (newThreshold)));
    }

    function _do(address wallet, bytes memory data) private {
        require(ISafe(wallet).execTransactionFromModule(wallet, 0, data, 0), "SM: owners not replaced");
    }
}
